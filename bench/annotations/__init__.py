"""Labels by people, and how far the scorers agree with them."""
