"""The commands that keep a project."""
