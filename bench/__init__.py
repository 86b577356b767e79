"""How colour binding is measured: samplers, regions, colour naming, scorers, statistics, store."""
