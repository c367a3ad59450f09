-- Every ended signal, traded or not. The inner date bounds satisfy tables that require one.
CREATE OR REPLACE VIEW all_signals AS
SELECT
  book, trade_id AS signal_id, ds, signal_ds, strategy_id, version_key, policy_key, symbol,
  asset_class, side, decided_at, 'TRADED' AS outcome, exit_reason AS reason,
  'RESOLVED' AS outcome_status, 'TRADED' AS priced_as, entry_ds, entry_price, exit_ds, exit_price,
  bars_held, gross_pnl, fees, dividends, net_pnl, r_multiple, quantity,
  equity_at_decision, '' AS theoretical_note
FROM fact_trades
WHERE ds >= DATE '1900-01-01'
UNION ALL
SELECT
  book, signal_id, ds, signal_ds, strategy_id, version_key, policy_key, symbol,
  asset_class, side, decided_at, 'REJECTED' AS outcome, rejection_reason AS reason,
  outcome_status, priced_as, theoretical_entry_ds AS entry_ds,
  theoretical_entry_price AS entry_price, theoretical_exit_ds AS exit_ds,
  theoretical_exit_price AS exit_price, theoretical_bars_held AS bars_held,
  theoretical_gross_pnl AS gross_pnl, theoretical_fees AS fees,
  theoretical_dividends AS dividends, theoretical_net_pnl AS net_pnl,
  theoretical_r_multiple AS r_multiple, quantity, equity_at_decision,
  theoretical_note
FROM fact_rejected_signals
WHERE ds >= DATE '1900-01-01'
UNION ALL
SELECT
  book, signal_id, ds, signal_ds, strategy_id, version_key, policy_key, symbol,
  asset_class, side, decided_at, status AS outcome, end_reason AS reason,
  outcome_status, priced_as, theoretical_entry_ds AS entry_ds,
  theoretical_entry_price AS entry_price, theoretical_exit_ds AS exit_ds,
  theoretical_exit_price AS exit_price, theoretical_bars_held AS bars_held,
  theoretical_gross_pnl AS gross_pnl, theoretical_fees AS fees,
  theoretical_dividends AS dividends, theoretical_net_pnl AS net_pnl,
  theoretical_r_multiple AS r_multiple, quantity, equity_at_decision,
  theoretical_note
FROM fact_signals_expired
WHERE ds >= DATE '1900-01-01'
