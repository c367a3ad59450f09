"""What refusals were worth: filters, gates and the broker judged by what they refused."""
