"""The ingredients of the models, one a file.

Linear, convolution, normalisation, attention, transformer, embedding of time. Plain torch;
shapes are in the docstrings.
"""
