from collections.abc import Iterable

def allowed(rate: int, burst: int, times: Iterable[int], cost: int = 1) -> list[bool]:
    """Tell for each of `times` (ns, ascending) whether a bucket of `burst` tokens, refilled at `rate` a second, had
    `cost` of them.
    """

def wait(rate: int, burst: int, times: Iterable[int], cost: int = 1) -> int:
    """Take `cost` tokens at each of `times` (ns) from such a bucket; return how many ns it then lacks `cost` more."""
