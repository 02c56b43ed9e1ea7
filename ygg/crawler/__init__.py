"""The network as its nodes tell it: who is linked to whom, found by asking each node for its peers.

It takes a node, or an admin client of one, and gives a graph that can be written as JSON or drawn. What nodes say is a
stranger's word: it is bounded, for each node and over all. For programs; nothing of the library uses it.
"""

from ygg.crawler.crawl import AdminSource, Crawl, PeerSource
from ygg.crawler.graph import Graph, Link, NodeRecord

__all__ = ["AdminSource", "Crawl", "Graph", "Link", "NodeRecord", "PeerSource"]
