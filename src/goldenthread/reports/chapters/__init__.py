"""The chapters of the report that draw: returns, trading, refusals, versions, provenance."""
