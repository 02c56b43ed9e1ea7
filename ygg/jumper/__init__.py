"""Direct links to the destinations in use: what nodes publish of themselves, asked for, tried, kept while it helps."""

from ygg.jumper.addresses import MEMBER
from ygg.jumper.config import JumperConfig
from ygg.jumper.jumper import DirectLink, Jumper

__all__ = ["MEMBER", "DirectLink", "Jumper", "JumperConfig"]
