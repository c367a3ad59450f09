"""What a strategy would have made with other filters, from what it recorded when it decided."""
