-- By book, strategy and day: what was closed, and what became of the other signals.
-- Sums stay NUMERIC; ratios are FLOAT64 through SAFE_DIVIDE, null when there is nothing to divide.
CREATE OR REPLACE VIEW agg_strategy_daily AS
WITH ended AS (
  SELECT book, ds, strategy_id, 'TRADED' AS outcome, exit_at AS ended_at, trade_id AS id,
         gross_pnl, fees, dividends, net_pnl
  FROM fact_trades
  WHERE ds >= DATE '1900-01-01'
  UNION ALL
  SELECT book, ds, strategy_id, 'REJECTED' AS outcome, decided_at AS ended_at, signal_id AS id,
         NUMERIC '0' AS gross_pnl, NUMERIC '0' AS fees, NUMERIC '0' AS dividends,
         NUMERIC '0' AS net_pnl
  FROM fact_rejected_signals
  WHERE ds >= DATE '1900-01-01'
  UNION ALL
  SELECT book, ds, strategy_id, status AS outcome, decided_at AS ended_at, signal_id AS id,
         NUMERIC '0' AS gross_pnl, NUMERIC '0' AS fees, NUMERIC '0' AS dividends,
         NUMERIC '0' AS net_pnl
  FROM fact_signals_expired
  WHERE ds >= DATE '1900-01-01'
), running AS (
  SELECT ended.*,
         SUM(net_pnl) OVER (
           PARTITION BY book, strategy_id, ds ORDER BY ended_at, id
           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
         ) AS made
  FROM ended
), falling AS (
  SELECT running.*,
         GREATEST(
           MAX(made) OVER (
             PARTITION BY book, strategy_id, ds ORDER BY ended_at, id
             ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
           ),
           NUMERIC '0'
         ) - made AS drawdown
  FROM running
)
SELECT
  book,
  ds,
  strategy_id,
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
  MAX(drawdown) AS max_drawdown,
  COUNTIF(outcome = 'REJECTED') AS rejected,
  COUNTIF(outcome = 'EXPIRED') AS expired,
  COUNTIF(outcome = 'INVALIDATED') AS invalidated
FROM falling
GROUP BY book, ds, strategy_id
