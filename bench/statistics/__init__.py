"""From verdicts to estimates with clustered intervals, and from two runs to a comparison."""
