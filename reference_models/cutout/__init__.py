"""A small network that cuts things out of pictures: what is a thing, a plate, a frame, behind."""
