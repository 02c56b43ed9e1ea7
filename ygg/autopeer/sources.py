"""Where lists of public peers come from: one source, what it last gave, and how to ask it again."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import stat
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from ygg.autopeer.builtin import Builtin, builtin_document, read_checkout
from ygg.autopeer.documents import Document, DocumentError, parse_document, shown
from ygg.autopeer.files import read_file
from ygg.autopeer.waiting import DaemonCall
from ygg.errors import MissingExtraError, YggError
from ygg.network import Network

if TYPE_CHECKING:
    from ygg.autopeer.http import Validators

Source: TypeAlias = str | os.PathLike[str] | Builtin
"""An HTTP or HTTPS URL, the path of a file or of a checkout of the lists, or `BUILTIN`."""

Mark: TypeAlias = "Validators | tuple[int, int] | None"
"""What tells a document from a later one: a server's validators, or a file's time of change and size."""

_SMALL = 32 << 10  # what parses faster than a thread starts
_log = logging.getLogger("ygg.autopeer")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a source may cost, and whom it must be."""

    size: int
    """Bytes of a document."""
    timeout: float
    """Seconds to fetch one."""
    context: ssl.SSLContext | None = None
    """What verifies HTTPS servers; None for the usual authorities."""
    allow_local: bool = False
    """Whether its peers may be on this machine and its links."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source is doing."""

    source: str = field(repr=False)
    """Its URL or path, or `builtin`. A URL may hold a password."""
    form: str = ""
    """The form of its document; empty when it has given none."""
    date: str = ""
    """When the list was made, as it says itself."""
    peers: int = 0
    """Usable peers it gives now."""
    rejected: int = 0
    """Entries of its document that were left out."""
    checked: float | None = None
    """When it last answered, in Unix seconds."""
    error: str = ""
    """Why it did not answer when last asked; empty when it did."""
    redacted: str = ""
    """The same as `source`, fit for a log: without user and query."""


@dataclass(slots=True)
class SourceState:
    """One source, the list it last gave, and what makes the next question conditional."""

    source: Source = field(repr=False)
    """What is asked."""
    document: Document | None = None
    """The list it last gave; None before the first, and once dropped."""
    checked: float | None = None
    """Unix time of the last answer; None before the first."""
    error: str = ""
    """Why the last question failed; empty when it did not."""
    _mark: Mark = field(default=None, repr=False)
    _reading: DaemonCall[tuple[Document, Mark] | None] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What the source is called in logs and statuses."""
        return self.source.value if isinstance(self.source, Builtin) else os.fspath(self.source)

    @property
    def is_remote(self) -> bool:
        """Whether a network is needed to read it."""
        return isinstance(self.source, str) and self.source.lower().startswith(("http://", "https://"))

    @property
    def _shown(self) -> str:
        """The name as logs may have it."""
        return shown(self.name) if self.is_remote else self.name

    def status(self) -> SourceStatus:
        """Return how the source is doing."""
        document = self.document or Document("")
        return SourceStatus(
            self.name, document.form, document.date, len(document.peers), document.rejected, self.checked, self.error,
            self._shown,
        )  # fmt: skip

    def forget(self) -> None:
        """Drop what the source gave, so that the next question is unconditional."""
        self.document = self._mark = None

    async def refresh(self, network: Network | None, terms: Terms, now: float) -> None:
        """Ask again. A failure is logged and kept in `error`, and what the source gave before stays."""
        try:
            answer = await self._read(network, terms, now)
            if answer is not None:
                self._take(*answer)
        except (YggError, OSError) as error:
            self.error = str(error) or type(error).__name__
            _log.warning("peer list %s: %s", self._shown, self.error)
            return
        except Exception as error:  # a fault of ours must not stop the other sources either
            self.error = repr(error)
            _log.exception("peer list %s", self._shown)
            return
        self.error, self.checked = "", now

    def _take(self, document: Document, mark: Mark) -> None:
        """Believe an answer, unless it names no peer: that is more likely a sign-in page than the end of all peers."""
        _log_document(self._shown, document)
        if not document.peers:
            raise DocumentError("no usable peers in it")
        self.document, self._mark = document, mark

    async def _read(self, network: Network | None, terms: Terms, now: float) -> tuple[Document, Mark] | None:
        """Return the list and what makes the next question conditional; None when it is the same as before."""
        if isinstance(self.source, Builtin):
            return None if self.document else (builtin_document(), None)
        if not self.is_remote:
            return await self._read_path_in_time(Path(self.source), terms, now)
        if network is None:
            raise DocumentError("no network to fetch it through")
        return await self._fetch(self.name, network, terms, now)

    async def _read_path_in_time(self, path: Path, terms: Terms, now: float) -> tuple[Document, Mark] | None:
        if self._reading is not None and self._reading.is_running:
            raise DocumentError("still being read since the last time")
        self._reading = DaemonCall(partial(self._read_path, path, terms, now), "peer list")
        try:
            async with asyncio.timeout(terms.timeout):
                return await self._reading
        except TimeoutError:
            raise DocumentError(f"no answer within {terms.timeout:g} s") from None

    def _read_path(self, path: Path, terms: Terms, now: float) -> tuple[Document, Mark] | None:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            return read_checkout(path, limit=terms.size, allow_local=terms.allow_local), None
        stamp = (about.st_mtime_ns, about.st_size)
        if stamp == self._mark:
            return None
        data = read_file(path, terms.size)
        region, local = path.resolve().parent.name, terms.allow_local
        document = parse_document(data, name=path.name, region=region, now=now, allow_local=local)
        return document, stamp

    async def _fetch(
        self, url: str, network: Network, terms: Terms, now: float
    ) -> tuple[Document, Mark] | None:
        try:
            # A tenth of a second the first time: not on the event loop.
            http = await asyncio.to_thread(import_module, "ygg.autopeer.http")
        except ImportError as error:
            raise MissingExtraError("fetching peer lists needs httpcore: install ygg[http]") from error
        validators = cast("Validators | None", self._mark)
        reply = await http.get(
            url, network, limit=terms.size, timeout=terms.timeout, validators=validators, context=terms.context
        )
        if reply.body is None:
            return None
        *_, folder, name = ["", *url.partition("://")[2].partition("?")[0].split("/")]
        parse = partial(
            parse_document, reply.body, name=name, region=folder, now=now, allow_local=terms.allow_local
        )
        document = parse() if len(reply.body) <= _SMALL else await asyncio.to_thread(parse)
        return document, reply.validators


def _log_document(name: str, document: Document) -> None:
    kept, left_out, twice = len(document.peers), document.rejected, document.duplicates
    _log.info("peer list %s: %d peers, %d entries left out, %d duplicates", name, kept, left_out, twice)
    for rejection in document.rejections:
        _log.info("peer list %s: %s left out: %s", name, rejection.entry, rejection.reason)
