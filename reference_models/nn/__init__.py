"""The ingredients of the models, one a file: linear, convolution, normalisation, attention,
transformer, and the embedding of time. Plain torch; shapes are in the docstrings.
"""
