-- The last known revision of each bar; of two known at one instant, the first source by name.
CREATE OR REPLACE VIEW bars_current AS
SELECT symbol, ds, open, high, low, close, volume, state, source, known_at
FROM fact_bars
WHERE ds >= DATE '1900-01-01'
QUALIFY ROW_NUMBER() OVER (PARTITION BY symbol, ds ORDER BY known_at DESC, source) = 1
