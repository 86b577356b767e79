"""A small rendered world and small models, from scratch, that the benchmark is proved on."""
