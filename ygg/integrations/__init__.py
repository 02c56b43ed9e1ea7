"""Other libraries over the overlay, or over any network.

Each module takes and gives the interfaces of the library that it is named after, needs that library, and says so when
it is missing. For programs; `httpcore` also serves the rooms that fetch from the web.
"""
