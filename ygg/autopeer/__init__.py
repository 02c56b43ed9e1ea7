"""Peers found, not configured: public lists fetched, and a node kept connected through some of what they name.

It takes lists from the web, from files or compiled in, and gives checked peers; the manager adds and removes them at a
node, which it sees through a protocol class of its own. For programs, the daemon and the command line.
"""

from ygg.autopeer.builtin import BUILTIN, builtin_document
from ygg.autopeer.documents import Document, DocumentError, Rejection, parse_document
from ygg.autopeer.fetcher import PeerFetcher
from ygg.autopeer.manager import AutoPeerConfig, AutoPeerManager
from ygg.autopeer.peer import PeerRejected, PublicPeer
from ygg.autopeer.sources import SourceStatus

__all__ = [
    "BUILTIN",
    "AutoPeerConfig",
    "AutoPeerManager",
    "Document",
    "DocumentError",
    "PeerFetcher",
    "PeerRejected",
    "PublicPeer",
    "Rejection",
    "SourceStatus",
    "builtin_document",
    "parse_document",
]
