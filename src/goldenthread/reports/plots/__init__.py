"""Drawings beside the line over time: bars, clouds of points, curves over a threshold, spans."""
