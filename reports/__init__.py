"""What a person looks at: one HTML page for one run or several."""
