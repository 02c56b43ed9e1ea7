"""Congestion control: an interface and the algorithms behind it."""
