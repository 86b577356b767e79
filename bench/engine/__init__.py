"""The run engine: what is missing is sampled, encoded, scored and stored, and nothing is lost."""
