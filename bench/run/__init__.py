"""The run: from what is asked to samples, pictures, scores and a finished record."""
