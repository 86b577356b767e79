"""Scorers: numbers for every binding of every image."""
