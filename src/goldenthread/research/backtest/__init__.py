"""A whole history decided, filled and accounted for at once: what `simulate` gives, faster."""
