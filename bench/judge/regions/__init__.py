"""Where things are in an image: segmenters, and what they share."""
