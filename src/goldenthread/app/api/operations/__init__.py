"""What keeps a project: backups, exports, and what is made from them."""
