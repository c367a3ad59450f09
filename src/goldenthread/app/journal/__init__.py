"""What a run did, line by line, while it is at it."""
