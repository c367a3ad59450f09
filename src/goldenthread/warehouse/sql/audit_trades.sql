-- The image of trades before their fees change; once for each old revision.
-- @patches holds 'revision|trade_id' of what is about to be merged.
INSERT INTO audit_log
  (id, book, ds, acted_at, actor, action, subject, detail, run_id, loaded_at)
SELECT
  CONCAT('fact_trades|', t.book, '|', t.trade_id, '|', CAST(t.revision AS STRING)),
  t.book,
  @ds,
  @loaded_at,
  'patches',
  'PATCH_FEES',
  CONCAT('fact_trades/', t.trade_id),
  TO_JSON(STRUCT(
    t.revision AS revision,
    t.fees AS fees,
    t.net_pnl AS net_pnl,
    t.return_fraction AS return_fraction,
    t.r_multiple AS r_multiple,
    t.is_final AS is_final
  )),
  @run_id,
  @loaded_at
FROM fact_trades AS t
JOIN UNNEST(@patches) AS p ON SPLIT(p, '|')[OFFSET(1)] = t.trade_id
WHERE t.book = @book
  AND t.ds BETWEEN @from AND @to
  AND t.revision < CAST(SPLIT(p, '|')[OFFSET(0)] AS DATE)
  AND NOT EXISTS (
    SELECT 1
    FROM audit_log AS a
    WHERE a.ds >= DATE '1900-01-01'
      AND a.id = CONCAT('fact_trades|', t.book, '|', t.trade_id, '|', CAST(t.revision AS STRING))
  )
