"""What tests of programs, networks and transports of one's own need: the checks that every network of ygg passes, and keys.

It takes what is to be tested, and raises `AssertionError` where that does wrong. Tests and examples use it; nothing of the
library does.
"""
