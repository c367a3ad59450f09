"""One folder a port, one engine a file or a folder."""
