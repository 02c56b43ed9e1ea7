"""TLS over a byte stream of any kind, on any event loop.

Takes a connection held still and a context, of the ssl module or of the engine; gives the plain text as a connection
held still. What dials, listens or upgrades with TLS uses it: links, the overlay's streams, HTTP.
"""
