"""ygg.proxy.allow: who is on a list of keys, addresses and subnets, for every service that takes one."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.proxy.ends import backend, client, ports, send_and_reset, sender
from tests.vtunpair import ADDRESS_A, ADDRESS_B, joined
from ygg.identity.address import address_of, subnet_of
from ygg.identity.keys import PrivateKey
from ygg.network import NativeNetwork
from ygg.proxy import Allowed, DatagramForward, Forward, NetworkRoute, SocksProxy, overlay, overlay_udp, tcp, udp
from ygg.proxy.http import HttpForward
from ygg.proxy.http_proxy import HttpProxy, MixedProxy


def test_keys_addresses_and_subnets() -> None:
    key, other = PrivateKey.generate().public_key, PrivateKey.generate().public_key
    allowed = Allowed([key.hex(), "200:aaaa::1", str(subnet_of(other)), "10.0.0.0/8"])
    assert allowed.admits((str(address_of(key)), 1, 0, 0))
    assert allowed.admits(("200:dead::1", 1, 0, 0), key)
    assert allowed.admits(("200:aaaa::1", 1, 0, 0), other)
    assert allowed.admits((str(subnet_of(other).network_address + 7), 1, 0, 0))
    assert allowed.admits(("10.1.2.3", 1))
    assert allowed.admits(("::ffff:10.1.2.3", 1, 0, 0))
    assert allowed.admits("")
    assert not allowed.admits(None)
    for refused in (("200:aaaa::2", 1, 0, 0), (str(address_of(other)), 1, 0, 0), ("11.0.0.1", 1), ("fe80::1%eth0", 1)):
        assert not allowed.admits(refused), refused


def test_an_empty_list_is_for_none() -> None:
    assert not Allowed([]).admits(("127.0.0.1", 1))


@pytest.mark.parametrize("entry", ["", "example.org", "200:aaaa::1/64", "ab" * 31, "200::/129"])
def test_what_is_none_of_these(entry: str) -> None:
    with pytest.raises(ValueError, match="is no public key, address or subnet"):
        Allowed([entry])


def through(kind: Any, port: int) -> Callable[..., Any]:
    """Return what makes a service of a kind at an entrance, which leads to a port of this machine."""
    target = tcp("127.0.0.1", port) if kind in (Forward, HttpForward) else NetworkRoute(NativeNetwork())
    return lambda entrance, allow: kind(entrance, target, allow=allow)


def asking(kind: Any, port: int) -> bytes:
    """Return what a client says to a service of that kind, to have the server at the port hear of it."""
    if kind is SocksProxy:
        return b"\5\1\0" + bytes([5, 1, 0, 1, 127, 0, 0, 1]) + port.to_bytes(2) + b"word"
    target = "/" if kind in (Forward, HttpForward) else f"http://127.0.0.1:{port}/"
    return f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


SERVICES = [Forward, HttpForward, SocksProxy, HttpProxy, MixedProxy]


@pytest.mark.parametrize("kind", SERVICES)
@on_loops
async def test_each_service_serves_those_that_are_allowed_alone(kind: Any) -> None:
    async with joined() as pair, backend() as (port, served):
        make = through(kind, port)
        lists = ([ADDRESS_A], True), (["200:aaaa::/32"], True), ([ADDRESS_B, "10.0.0.0/8"], False), ([], False)
        for allow, allowed in lists:
            before = len(served)
            async with make(overlay(pair.b, ADDRESS_B, 1080), allow) as service:
                if allowed:
                    near = await client(1080, pair.a, ADDRESS_B)
                    near.transport.write(asking(kind, port))
                    await until(lambda before=before: len(served) > before and served[-1].data)
                    near.transport.abort()
                else:
                    with pytest.raises(ConnectionResetError):
                        await (await client(1080, pair.a, ADDRESS_B)).lost()
                assert service.counters()["forbidden"] == (not allowed)
            assert len(served) == before + allowed


@pytest.mark.parametrize("kind", SERVICES)
@on_loops
async def test_who_is_gone_before_being_accepted_has_said_nothing(kind: Any) -> None:
    """The address of such a client is not known on uvloop, and what it has sent still comes."""
    async with backend() as (port, served), through(kind, port)(tcp("127.0.0.1", 0), ["10.0.0.0/8"]) as service:
        for _ in range(5):
            send_and_reset(service.port, asking(kind, port))
        await until(lambda: service.counters()["forbidden"] == 5)
        assert not served


@on_loops
async def test_datagrams_of_those_that_are_allowed_alone_pass() -> None:
    async with joined() as pair, ports("127.0.0.1") as (far,):
        behind = udp("127.0.0.1", far.number)
        for allow, allowed in (([ADDRESS_A], True), (["200:aaaa::/32"], True), ([ADDRESS_B, "10.0.0.0/8"], False)):
            async with DatagramForward(overlay_udp(pair.b, ADDRESS_B, 53), behind, allow=allow) as forward:
                near = await sender(53, pair.a, ADDRESS_B)
                near.transport.sendto(b"word")
                await until(lambda near=near, forward=forward: near.data or forward.counters()["forbidden"])
                assert (near.data, forward.counters()["forbidden"]) == (([b"WORD"], 0) if allowed else ([], 1))
                near.transport.close()
