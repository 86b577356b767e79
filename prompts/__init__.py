"""What is asked of a model: colours, subjects, grids of prompts, and the samples planned from them.

Nothing here imports anything but the standard library, so that a grid can be made, read and
checked on any machine.
"""
