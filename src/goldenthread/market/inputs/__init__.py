"""Point-in-time tables from outside: a model's score, for example, as a factor."""
