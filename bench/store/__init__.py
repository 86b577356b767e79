"""A run on disk: parts of Parquet tables, the record of what was asked, and the lock."""
