"""A router's state as Python objects; see Router for what is public."""
