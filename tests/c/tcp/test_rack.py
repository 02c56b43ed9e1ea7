"""ygg_c.tcp.rack: loss found by time, and probes for the end of a flight (RFC 8985)."""

from tests.c.tcp.scripted import scripts

test_scripts = scripts("30-rack")
