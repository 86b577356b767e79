"""The judge: pictures in, verdicts out. Pure: it reads no files and knows no run."""
