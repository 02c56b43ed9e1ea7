"""Host patterns, and which of several is the most specific."""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from ygg.errors import URLError


def normal(host: str) -> str:
    """Return `host` in the one spelling patterns are matched against.

    Lower case, no brackets, no final dot; an address in its canonical form, without a zone.
    """
    host = host.strip("[]").lower().removesuffix(".")
    address = _address(host.partition("%")[0])
    return host if address is None else str(address)


class HostPattern:
    """A host, a prefix such as `10.0.0.0/8`, or a name with `*` for any run of characters.

    `specificity` orders the patterns that match one host: an exact host above a prefix, the longer prefix first, above
    a wildcard, the one with more literal characters first.
    """

    def __init__(self, text: str) -> None:
        self.text = normal(text)
        """The normal spelling: two patterns with the same text are the same."""
        self.exact = False
        """Whether it matches one host only."""
        self.matches: Callable[[str], bool]
        """Tells whether a host, in its normal spelling, matches."""
        self.specificity: tuple[int, int]
        """The larger, the more specific: kind of pattern, then how much of a host it fixes."""
        if "/" in text:
            network = _prefix(text)
            self.text = str(network)
            self.matches, self.specificity = _inside(network), (1, network.prefixlen)
        elif "*" in text:
            pattern = re.compile(".*".join(map(re.escape, self.text.split("*"))), re.DOTALL)
            self.matches = lambda host: pattern.fullmatch(host) is not None
            self.specificity = (0, len(self.text.replace("*", "")))
        else:
            self.exact, self.specificity = True, (2, 0)
            self.matches = self.text.__eq__

    def __repr__(self) -> str:
        return f"HostPattern({self.text!r})"


def _prefix(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        raise URLError(f"malformed host pattern {text[:64]!r}") from None


def _inside(network: IPv4Network | IPv6Network) -> Callable[[str], bool]:
    def matches(host: str) -> bool:
        address = _address(host)
        return address is not None and address in network

    return matches


@lru_cache(maxsize=1024)
def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
