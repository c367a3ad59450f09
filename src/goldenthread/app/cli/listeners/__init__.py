"""Commands that serve a port until Ctrl-C."""
