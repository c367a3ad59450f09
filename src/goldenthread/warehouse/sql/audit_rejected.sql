-- The image of signals in fact_rejected_signals before their prices change; once for each old revision.
-- @patches holds 'revision|signal_id' of what is about to be merged.
INSERT INTO audit_log
  (id, book, ds, acted_at, actor, action, subject, detail, run_id, loaded_at)
SELECT
  CONCAT('fact_rejected_signals|', t.book, '|', t.signal_id, '|', CAST(t.revision AS STRING)),
  t.book,
  @ds,
  @loaded_at,
  'patches',
  'PATCH_PRICES',
  CONCAT('fact_rejected_signals/', t.signal_id),
  TO_JSON(STRUCT(
    t.revision AS revision,
    t.outcome_status AS outcome_status,
    t.priced_as AS priced_as,
    t.theoretical_entry_ds AS theoretical_entry_ds,
    t.theoretical_entry_price AS theoretical_entry_price,
    t.theoretical_exit_ds AS theoretical_exit_ds,
    t.theoretical_exit_price AS theoretical_exit_price,
    t.theoretical_exit_reason AS theoretical_exit_reason,
    t.theoretical_net_pnl AS theoretical_net_pnl
  )),
  @run_id,
  @loaded_at
FROM fact_rejected_signals AS t
JOIN UNNEST(@patches) AS p ON SPLIT(p, '|')[OFFSET(1)] = t.signal_id
WHERE t.book = @book
  AND t.ds BETWEEN @from AND @to
  AND t.revision < CAST(SPLIT(p, '|')[OFFSET(0)] AS DATE)
  AND NOT EXISTS (
    SELECT 1
    FROM audit_log AS a
    WHERE a.ds >= DATE '1900-01-01'
      AND a.id = CONCAT('fact_rejected_signals|', t.book, '|', t.signal_id, '|', CAST(t.revision AS STRING))
  )
