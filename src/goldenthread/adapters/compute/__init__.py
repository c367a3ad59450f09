"""Where work is done beside this machine."""
