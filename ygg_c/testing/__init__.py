"""Inner parts of the engine as Python objects, for tests and studies.

It takes and gives bytes and numbers. Nothing of the engine uses it.
"""
