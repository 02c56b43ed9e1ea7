"""What one list said: the peers it is good for, and what was left out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ygg.autopeer.peer import PeerRejected, PublicPeer, is_local
from ygg.errors import YggError

MAX_PEERS = 20_000
"""Most peers kept of one document; the public lists have a few hundred."""
MAX_ENTRIES = 2 * MAX_PEERS
"""Most entries of one document looked at: those beyond are left out unseen, which bounds the time a document takes."""
MAX_REASONS = 50
"""Most rejections kept with their reason; the others are only counted."""

_TOO_MANY = f"the document has more than {MAX_ENTRIES} entries"


class DocumentError(YggError, ValueError):
    """The document is no list of public peers; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """An entry that was left out."""

    entry: str
    """Its URL, shortened, without user and query, and with unprintable characters escaped."""
    reason: str
    """Why, for a person."""


@dataclass(slots=True)
class Document:
    """What one list said."""

    form: str
    """`publicnodes`, `yggpeers`, `markdown`, `ygg` or `urls`."""
    date: str = ""
    """When the list was made, as it says itself."""
    peers: list[PublicPeer] = field(default_factory=list)
    """Its usable peers in its order, each link once."""
    rejections: list[Rejection] = field(default_factory=list)
    """The first `MAX_REASONS` entries left out."""
    rejected: int = 0
    """Entries left out."""
    duplicates: int = 0
    """Entries for a link the document had named before."""
    allow_local: bool = False
    """Whether peers on this machine and its links are taken."""
    _seen: set[str] = field(default_factory=set, repr=False)

    def add(self, url: object, make: Callable[[], PublicPeer]) -> None:
        """Take the peer `make` returns, or note why it raised `PeerRejected`."""
        if len(self.peers) + self.rejected + self.duplicates >= MAX_ENTRIES:
            self.reject(url, _TOO_MANY)
            return
        try:
            peer = make()
            if not self.allow_local and is_local(peer.host):
                raise PeerRejected("the host is this machine's or link's own")
        except PeerRejected as error:
            self.reject(url, str(error))
        else:
            self._keep(peer)

    def merge(self, other: Document) -> None:
        """Take everything another document said."""
        self.rejected += other.rejected
        self.rejections += other.rejections[: MAX_REASONS - len(self.rejections)]
        self.duplicates += other.duplicates
        for peer in other.peers:
            self._keep(peer)

    def _keep(self, peer: PublicPeer) -> None:
        identity = peer.identity
        if identity in self._seen:
            self.duplicates += 1
        elif len(self.peers) >= MAX_PEERS:
            self.reject(peer.url, f"the document has more than {MAX_PEERS} peers")
        else:
            self._seen.add(identity)
            self.peers.append(peer)

    def reject(self, entry: object, reason: str) -> None:
        """Note that an entry was left out, and why."""
        self.rejected += 1
        if len(self.rejections) < MAX_REASONS:
            self.rejections.append(Rejection(_escaped(entry), reason))


def shown(url: str) -> str:
    """Return a URL as logs may have it: what follows its `?`, and a user before its host, may be secret."""
    url = url.partition("?")[0]
    scheme = url[: url.find("://") + 3] if "://" in url else ""
    authority, slash, path = url[len(scheme) :].partition("/")
    return f"{scheme}{authority.rpartition('@')[2]}{slash}{path}"


def _escaped(entry: object) -> str:
    text = shown(entry) if isinstance(entry, str) else type(entry).__name__
    return text[:120].encode("unicode_escape").decode("ascii")
