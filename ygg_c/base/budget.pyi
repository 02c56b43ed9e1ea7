class Budget:
    """Tokens at `rate` a second, `burst` at once, shared fairly between origins and their sources."""

    def __init__(self, rate: float, burst: float, salt: int = 0) -> None:
        """Make a full budget. `ValueError` when the rate is not positive or the burst is below 1."""
    @property
    def refused(self) -> int:
        """Requests that were refused."""
    def request(
        self, origin: int, source: bytes | None = None, known: bool = False, cost: float = 1.0, now: int = 0
    ) -> bool:
        """Tell whether `cost` tokens may be used at `now` (ns) by a `source` of 32 bytes, if any."""
    def refund(self, origin: int, source: bytes | None = None, cost: float = 1.0, now: int = 0) -> None:
        """Give back `cost` tokens that were taken and not used."""
    def use(self, origin: int, cost: float = 1.0, now: int = 0) -> None:
        """Use `cost` tokens, whatever was used before."""
    @property
    def slots(self) -> int:
        """How many origins it has room for at present."""
    def delay(self, origin: int, known: bool = False, cost: float = 1.0, now: int = 0) -> int:
        """Return the ns until `cost` tokens may be used."""
