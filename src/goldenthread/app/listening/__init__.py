"""What every listener of ours shares: where it binds, whom it answers, how often."""
