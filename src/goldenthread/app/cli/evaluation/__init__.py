"""The commands of looking back: shadow, replay, compare."""
