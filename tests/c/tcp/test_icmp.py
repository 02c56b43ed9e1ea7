"""ygg_c.tcp.icmp: ICMPv6 errors about segments (RFC 5927, RFC 8201)."""

from tests.c.tcp.scripted import scripts

test_scripts = scripts("19-icmp")
