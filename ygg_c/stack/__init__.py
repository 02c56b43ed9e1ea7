"""The stack: which socket a packet is for, UDP, echo replies, checks of restarted peers, and a capture of it all.

It takes packets from the layer below, and calls from above; it gives packets and events. It works on any lower layer,
with or without a node. `ygg.vtun` uses it.
"""
