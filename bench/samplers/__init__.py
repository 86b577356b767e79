"""Samplers: what makes the images of a run."""
