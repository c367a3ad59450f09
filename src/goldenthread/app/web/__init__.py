"""The dashboard: what a book did and why, in a browser, from the published copy."""
