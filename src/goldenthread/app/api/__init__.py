"""The Python face: what the command line calls, and what a notebook may."""
