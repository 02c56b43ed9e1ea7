"""What is kept while segments are under way: used by the engine's own modules only, so nothing of it is visible from
Python.
"""
