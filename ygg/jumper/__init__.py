"""Direct links to the destinations in use: what nodes publish of themselves, asked for, tried, kept while it helps.

It takes the sessions of a node, which it sees through a protocol class of its own, and their NodeInfo; it gives the
node peers, and takes them back when they are idle. For programs and the daemon.
"""

from ygg.jumper.addresses import MEMBER
from ygg.jumper.config import JumperConfig
from ygg.jumper.jumper import DirectLink, Jumper

__all__ = ["MEMBER", "DirectLink", "Jumper", "JumperConfig"]
