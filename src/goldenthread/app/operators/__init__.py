"""What people ask of a book while it runs."""
