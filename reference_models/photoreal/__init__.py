"""A photoreal known-answer world: path-traced scenes with exact masks; an extra, not for a run."""
