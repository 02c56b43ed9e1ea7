from collections.abc import Iterable

def allowed(rate: int, burst: int, times: Iterable[int]) -> list[bool]:
    """Tell for each of `times` (ns, ascending) whether a bucket of `burst` tokens, refilled at `rate` a second, had
    one.
    """
