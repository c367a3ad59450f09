"""The nouns: frozen records and the arithmetic of one record; imports nothing of ours."""
