"""Commands of many days at once."""
