"""The wiring: the only folder that names an engine."""
