"""Whether the far side of a link is there: used by the engine's own modules only, so nothing of it is visible from
Python.
"""
