"""The configuration of a node: the stock daemon's file, read, checked and written, and its defaults.

It turns text into a `Config` and back. Nothing runs by it: the daemon and programs do that.
"""
