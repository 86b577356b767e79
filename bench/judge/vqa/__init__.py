"""Questions to a vision-language model, and the ways in which one is asked."""
