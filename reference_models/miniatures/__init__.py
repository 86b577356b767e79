"""Miniatures of detectors and segmenters that take words, and their training on rendered scenes.

The adapters of the judge are proved with them: the classes are transformers' own, the processors
too, and only the weights are small and made here.
"""
