"""An Yggdrasil node inside your Python program."""
