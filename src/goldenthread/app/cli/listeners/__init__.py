"""Commands that serve a loopback port until Ctrl-C."""
