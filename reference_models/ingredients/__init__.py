"""The ingredients of a text-to-image model, each shown by a figure made from the code itself."""
