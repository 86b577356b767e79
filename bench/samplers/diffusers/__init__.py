"""Pipelines of diffusers as samplers."""
