-- By book and strategy, over its whole life. Never-triggered signals have no money here.
CREATE OR REPLACE VIEW summary_strategy_performance AS
WITH ended AS (
  SELECT book, ds, strategy_id, 'TRADED' AS outcome, exit_at AS ended_at, trade_id AS id,
         gross_pnl, fees, dividends, net_pnl, r_multiple, bars_held,
         CAST(NULL AS NUMERIC) AS refused_pnl
  FROM fact_trades
  WHERE ds >= DATE '1900-01-01'
  UNION ALL
  SELECT book, ds, strategy_id, 'REJECTED' AS outcome, decided_at AS ended_at, signal_id AS id,
         NUMERIC '0' AS gross_pnl, NUMERIC '0' AS fees, NUMERIC '0' AS dividends,
         NUMERIC '0' AS net_pnl,
         CAST(NULL AS NUMERIC) AS r_multiple, CAST(NULL AS INT64) AS bars_held,
         IF(outcome_status = 'RESOLVED' AND priced_as = 'PLANNED', theoretical_net_pnl, NULL)
           AS refused_pnl
  FROM fact_rejected_signals
  WHERE ds >= DATE '1900-01-01'
  UNION ALL
  SELECT book, ds, strategy_id, status AS outcome, decided_at AS ended_at, signal_id AS id,
         NUMERIC '0' AS gross_pnl, NUMERIC '0' AS fees, NUMERIC '0' AS dividends,
         NUMERIC '0' AS net_pnl,
         CAST(NULL AS NUMERIC) AS r_multiple, CAST(NULL AS INT64) AS bars_held,
         CAST(NULL AS NUMERIC) AS refused_pnl
  FROM fact_signals_expired
  WHERE ds >= DATE '1900-01-01'
), running AS (
  SELECT ended.*,
         SUM(net_pnl) OVER (
           PARTITION BY book, strategy_id ORDER BY ds, ended_at, id
           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
         ) AS made
  FROM ended
), falling AS (
  SELECT running.*,
         GREATEST(
           MAX(made) OVER (
             PARTITION BY book, strategy_id ORDER BY ds, ended_at, id
             ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
           ),
           NUMERIC '0'
         ) - made AS drawdown
  FROM running
)
SELECT
  book,
  strategy_id,
  MIN(ds) AS first_ds,
  MAX(ds) AS last_ds,
  COUNTIF(outcome = 'TRADED') AS trades,
  COUNTIF(net_pnl > 0) AS wins,
  SAFE_DIVIDE(CAST(COUNTIF(net_pnl > 0) AS FLOAT64), CAST(COUNTIF(outcome = 'TRADED') AS FLOAT64))
    AS win_rate,
  SUM(gross_pnl) AS gross_pnl,
  SUM(fees) AS fees,
  SUM(dividends) AS dividends,
  SUM(net_pnl) AS net_pnl,
  SAFE_DIVIDE(
    CAST(SUM(IF(net_pnl > 0, net_pnl, NUMERIC '0')) AS FLOAT64),
    CAST(-SUM(IF(net_pnl < 0, net_pnl, NUMERIC '0')) AS FLOAT64)
  ) AS profit_factor,
  SAFE_DIVIDE(CAST(SUM(net_pnl) AS FLOAT64), CAST(COUNTIF(outcome = 'TRADED') AS FLOAT64))
    AS expectancy,
  SAFE_DIVIDE(CAST(SUM(r_multiple) AS FLOAT64), CAST(COUNT(r_multiple) AS FLOAT64)) AS average_r,
  SAFE_DIVIDE(CAST(SUM(bars_held) AS FLOAT64), CAST(COUNT(bars_held) AS FLOAT64))
    AS average_bars_held,
  MAX(drawdown) AS max_drawdown,
  COUNTIF(outcome = 'REJECTED') AS rejected,
  COUNTIF(outcome = 'EXPIRED') AS expired,
  COUNTIF(outcome = 'INVALIDATED') AS invalidated,
  COUNT(refused_pnl) AS refused_resolved,
  SUM(refused_pnl) AS refused_net_pnl
FROM falling
GROUP BY book, strategy_id
