"""The gate of a merge: a small baseline, what may be compared with it, the verdict, its forms."""
