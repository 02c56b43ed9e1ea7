"""The spanning tree, Bloom filters, lookups and paths: which link a frame leaves by.

It takes the frames of links, and traffic of this node; it gives frames to links, and hands up the traffic that is for
this node. A payload is bytes to it. The room node uses it.
"""
