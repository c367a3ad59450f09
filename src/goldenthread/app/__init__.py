"""Settings, wiring, the flow of a day, the Python face and the command line."""
