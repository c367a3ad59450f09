"""Records to the star schema."""
