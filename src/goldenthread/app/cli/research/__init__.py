"""The commands of many days at once."""
