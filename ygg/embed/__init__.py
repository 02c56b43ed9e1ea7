"""A whole node in one call: identity, transports, peers, listeners and a VTun, opened and closed together.

It takes what a person would say of a node, and gives a running one, of which every part is at hand. Nothing here does
anything that the parts do not offer: it puts together what stands below. For programs and for `ygg.blocking`.
"""

from ygg.embed.identity import Identity, load_or_make
from ygg.embed.node import EmbeddedNode
from ygg.embed.opening import Opening, open_node

__all__ = ["EmbeddedNode", "Identity", "Opening", "load_or_make", "open_node"]
