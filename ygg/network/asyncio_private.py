"""The private names of asyncio that ygg touches, all of them, each for want of a public one."""

import asyncio
from asyncio import constants, transports
from collections.abc import Mapping
from typing import Any, ClassVar


class StartTLSCompatible:
    """Mixin that makes `loop.start_tls()` of asyncio's own loops accept a transport."""

    _start_tls_compatible: ClassVar[bool] = True


class SendfileCompatible(transports._FlowControlMixin):
    """Base that makes `loop.sendfile()` of asyncio's own loops accept a transport, to which it writes block by block.

    For that it looks at `_protocol_paused`: the transport says there whether the protocol was told to pause writing.
    """

    _sendfile_compatible: ClassVar = constants._SendfileMode.FALLBACK
    _protocol_paused: bool

    def __init__(self, extra: Mapping[str, Any] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        super().__init__(extra, self._loop)
