"""Measurements of ygg as a user gets it: real nodes, real links over loopback, asyncio's own shapes at the ends."""
