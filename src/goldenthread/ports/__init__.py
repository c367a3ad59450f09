"""What we ask of the outside: Protocols of at most eight methods."""
