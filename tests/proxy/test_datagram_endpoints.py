"""ygg.proxy.datagram_endpoints: ports that are bound, and ports that are joined."""

import pytest

from tests.aio import on_loops, until
from tests.proxy.ends import Port, ports
from tests.vtunpair import ADDRESS_B, joined
from ygg.errors import ConnectionRefused, ResolveError
from ygg.proxy import overlay_udp, udp


@on_loops
async def test_of_the_system_by_name_and_for_both_families() -> None:
    bound = await udp("", 0).bind(lambda: Port(bytes.upper))
    port = bound.get_extra_info("sockname")[1]
    for host in ("localhost", "127.0.0.1", "::1"):
        near = Port()
        joined_port = await udp(host, port).connect(lambda near=near: near)
        joined_port.sendto(b"word")
        await until(lambda near=near: near.data == [b"WORD"])
        joined_port.close()
    bound.close()


@on_loops
async def test_a_port_that_is_joined_hears_of_no_other() -> None:
    async with ports("127.0.0.1", "127.0.0.1") as (one, other):
        near = Port()
        transport = await udp("127.0.0.1", one.number).connect(lambda: near)
        other.transport.sendto(b"not mine", transport.get_extra_info("sockname"))
        transport.sendto(b"mine")
        await until(lambda: near.arrived)
        assert near.data == [b"MINE"]
        transport.close()


@on_loops
async def test_of_the_overlay() -> None:
    async with joined() as pair:
        bound = await overlay_udp(pair.b, port=53).bind(lambda: Port(bytes.upper))
        near = Port()
        transport = await overlay_udp(pair.a, ADDRESS_B, 53).connect(lambda: near)
        transport.sendto(b"word")
        await until(lambda: near.data == [b"WORD"])
        bound.close()
        transport.sendto(b"none is there")
        await until(lambda: near.errors)
        assert isinstance(near.errors[0], ConnectionRefused)
        transport.close()
        with pytest.raises(ValueError, match="a place to receive at alone"):
            await overlay_udp(pair.a, port=53).connect(Port)


@on_loops
async def test_what_there_is_not() -> None:
    with pytest.raises(ResolveError):
        await udp("no.such.host.invalid", 53).connect(Port)
    assert repr(udp("::1", 53)) == "udp('::1', 53)"
    async with joined() as pair:
        assert repr(overlay_udp(pair.a, None, 53)) == "overlay_udp(None, 53)"
