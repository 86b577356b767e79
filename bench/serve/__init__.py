"""The judge as a service: pictures and prompts by HTTP, scores and reasons back."""
