"""What speaks to the outside: endpoints, the gate before them, the stream, the admin."""
