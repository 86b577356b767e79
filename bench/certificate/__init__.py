"""The judge judged: scenes whose verdict is known, and what the scorers say of them."""
