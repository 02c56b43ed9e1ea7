"""Names of hosts in the overlay: what they lead to, and a DNS server for programs that ask the machine.

It takes a name and gives an address or key, by computation, by a table, and by DNS servers in the overlay, which are
asked through a VTun. Answers are a stranger's: they are bounded, and count for the question alone. A `Names` is what
`VTun.names`, proxies and programs use; it stands above `vtun`, and knows no node.
"""

from ygg.names.hostsfile import HostsFile
from ygg.names.names import ALFIS_SERVERS, ALFIS_ZONES, ZONES, Lookup, Names, named
from ygg.names.values import Answer, Kind

__all__ = [
    "ALFIS_SERVERS",
    "ALFIS_ZONES",
    "ZONES",
    "Answer",
    "HostsFile",
    "Kind",
    "Lookup",
    "Names",
    "named",
]
