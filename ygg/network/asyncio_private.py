"""The private names of asyncio that ygg touches, all of them, each for want of a public one."""

from typing import ClassVar


class StartTLSCompatible:
    """Mixin that makes `loop.start_tls()` of asyncio's own loops accept a transport."""

    _start_tls_compatible: ClassVar[bool] = True
