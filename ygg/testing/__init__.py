"""What tests of programs and of networks of one's own need: keys, and the checks that every network of ygg passes.

It takes what is to be tested, and raises `AssertionError` where that does wrong. Tests and examples use it; nothing of
the library does.
"""

from ygg.testing.keys import in_order, private_key, public_key, secret_key

__all__ = ["in_order", "private_key", "public_key", "secret_key"]
