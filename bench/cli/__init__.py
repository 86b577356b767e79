"""The commands of ``bench``, one a module, each with an object ``command``."""
