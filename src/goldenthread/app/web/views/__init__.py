"""What each page shows, as parts of HTML from the rows of its JSON."""
