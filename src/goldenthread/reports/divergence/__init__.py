"""Why two sides made different money of the same signals."""
