"""Many days at once: sweeps."""
