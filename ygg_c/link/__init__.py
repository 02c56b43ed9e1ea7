"""One link to a neighbour: frames out of bytes, bytes out of frames, its timers, and whose packet leaves next.

It takes the bytes that were read and the frames that are to leave; it gives frames to the router, and buffers to be
written. It knows no socket, and no key but the neighbour's. The rooms routing, node and io use it.
"""
