"""Encrypted sessions with remote nodes: handshakes, the ratchet of keys, sealing and opening in place.

It takes payloads for a key, and sealed payloads with the key that they are from; it gives the same the other way
round. It knows neither paths nor IPv6. The room node uses it.
"""
