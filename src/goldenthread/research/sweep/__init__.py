"""Permutations of a strategy's parameters, each tried on a whole history by itself."""
