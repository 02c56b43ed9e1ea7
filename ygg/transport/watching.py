"""The watch of several networks at once."""

from collections.abc import Callable, Iterable

from ygg.network.base import Network, Watch


class NetworksWatch:
    """Calls `told` for each of the networks that are followed, until it is closed."""

    def __init__(self, told: Callable[[], object], left: Callable[["NetworksWatch"], object]) -> None:
        """`left(self)` is called when it is closed."""
        self._told = told
        self._left = left
        self._watches: dict[Network, Watch] = {}

    def follow(self, networks: Iterable[Network]) -> None:
        """Watch these networks, and those no more that are not among them."""
        wanted = dict.fromkeys(networks)
        for network in [network for network in self._watches if network not in wanted]:
            self._watches.pop(network).close()
        for network in wanted:
            if network not in self._watches:
                self._watches[network] = network.watch(self._told)

    def close(self) -> None:
        """Have nothing told any more. May be called twice."""
        self.follow(())
        self._left(self)
