"""The compiled engine of ygg: sans-IO, given bytes and a time, yielding bytes, packets, events and a deadline."""
