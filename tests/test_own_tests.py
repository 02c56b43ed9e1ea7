"""Each module has a test file of its own, in the place that mirrors its own: of ygg/x/y.py tests/x/test_y.py, of
ygg_c/x/y.pyx tests/c/x/test_y.py."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

LACKING = {
    "ygg/__main__.py": "tests/cli/test_entry.py",
    "ygg/autopeer/make_builtin.py": "tests/autopeer/test_builtin.py",
    "ygg/autopeer/sources.py": "tests/autopeer/test_fetcher.py",
    "ygg/config/document.py": "tests/config/test_config.py",
    "ygg/demo.py": "tests/test_programs.py",
    "ygg/integrations/asgi_options.py": "tests/integrations/test_asgi.py",
    "ygg/multicast/group.py": "tests/multicast/test_station.py",
    "ygg/network/loopback/datagram.py": "tests/network/loopback/test_network.py",
    "ygg/network/native/connections.py": "tests/network/native/test_network.py",
    "ygg/network/native/datagram.py": "tests/network/native/test_network.py",
    "ygg/network/native/inherited.py": "tests/test_fork.py",
    "ygg/network/native/listener.py": "tests/network/native/test_network.py",
    "ygg/node/gateway.py": "tests/tun/test_adapter.py",
    "ygg/stream/layered.py": "tests/stream/test_conformance.py",
    "ygg/stream/tls/object.py": "tests/stream/tls/test_stream.py",
    "ygg/stream/transport.py": "tests/stream/test_conformance.py",
    "ygg/stream/websocket.py": "tests/transport/test_ws.py",
    "ygg/stream/wrapper.py": "tests/network/test_wrapper.py",
    "ygg/transport/base.py": "tests/transport/test_manager.py",
    "ygg/transport/quic/dialing.py": "tests/transport/quic/test_transport.py",
    "ygg/transport/quic/link.py": "tests/transport/quic/test_transport.py",
    "ygg/transport/quic/listener.py": "tests/transport/quic/test_transport.py",
    "ygg/transport/quic/server.py": "tests/transport/quic/test_transport.py",
    "ygg/transport/quic/stream.py": "tests/transport/quic/test_transport.py",
    "ygg/tun/netlink.py": "tests/tun/test_linux.py",
    "ygg/version.py": "tests/test_packaging.py",
    "ygg/vtun/dial.py": "tests/vtun/test_failures.py",
    "ygg/vtun/sockets.py": "tests/vtun/test_options.py",
    "ygg/vtun/vtun.py": "tests/vtun/test_stream.py",
    "ygg_c/base/ranges.pyx": "tests/c/ip/test_fragment.py",
    "ygg_c/base/timers.pyx": "tests/c/tcp/test_timewait.py",
    "ygg_c/ip/reassembly.pyx": "tests/c/ip/test_fragment.py",
    "ygg_c/link/deferred.pyx": "tests/c/routing/test_proof.py",
    "ygg_c/link/drain.pyx": "tests/c/link/test_link.py",
    "ygg_c/link/neighbour.pyx": "tests/c/routing/test_neighbours.py",
    "ygg_c/node/queries.pyx": "tests/c/node/test_node.py",
    "ygg_c/routing/records.pyx": "tests/c/routing/test_tree.py",
    "ygg_c/session/openings.pyx": "tests/c/session/test_table.py",
    "ygg_c/socket/endpoint.pyx": "tests/c/stack/test_udp.py",
    "ygg_c/stack/demux.pyx": "tests/c/ip/test_icmp.py",
    "ygg_c/stack/icmp.pyx": "tests/c/ip/test_icmp.py",
    "ygg_c/stack/loopback.pyx": "tests/c/stack/test_udp.py",
    "ygg_c/stack/netstack.pyx": "tests/c/tcp/test_settings.py",
    "ygg_c/stack/udptable.pyx": "tests/c/stack/test_udp.py",
    "ygg_c/tcp/acknowledge.pyx": "tests/c/tcp/test_scripts.py",
    "ygg_c/tcp/arrival.pyx": "tests/c/tcp/test_scripts.py",
    "ygg_c/tcp/bare.pyx": "tests/c/tcp/test_listener.py",
    "ygg_c/tcp/base.pyx": "tests/c/tcp/test_settings.py",
    "ygg_c/tcp/congestion/base.pyx": "tests/c/tcp/congestion/test_cubic.py",
    "ygg_c/tcp/connection.pyx": "tests/c/tcp/test_open.py",
    "ygg_c/tcp/demux.pyx": "tests/c/tcp/test_listener.py",
    "ygg_c/tcp/flight.pyx": "tests/c/tcp/test_memory.py",
    "ygg_c/tcp/halfopen.pyx": "tests/c/tcp/test_listener.py",
    "ygg_c/tcp/icmp.pyx": "tests/c/tcp/test_scripts.py",
    "ygg_c/tcp/keepalive.pyx": "tests/c/tcp/test_settings.py",
    "ygg_c/tcp/light.pyx": "tests/c/tcp/test_lightnodes.py",
    "ygg_c/tcp/loss.pyx": "tests/c/tcp/test_recovery.py",
    "ygg_c/tcp/outgoing.pyx": "tests/c/tcp/test_data.py",
    "ygg_c/tcp/output.pyx": "tests/c/tcp/test_data.py",
    "ygg_c/tcp/pmtud.pyx": "tests/c/tcp/test_pathsearch.py",
    "ygg_c/tcp/rack.pyx": "tests/c/tcp/test_recovery.py",
    "ygg_c/tcp/receivequeue.pyx": "tests/c/tcp/test_receiver.py",
    "ygg_c/tcp/reset.pyx": "tests/c/tcp/test_close.py",
    "ygg_c/tcp/sender.pyx": "tests/c/tcp/test_data.py",
    "ygg_c/tcp/sendqueue.pyx": "tests/c/tcp/test_data.py",
    "ygg_c/tcp/timeouts.pyx": "tests/c/tcp/test_recovery.py",
    "ygg_c/tcp/wire.pyx": "fuzz/test_tcp_wire.py",
    "ygg_c/testing/congestion.pyx": "tests/c/tcp/congestion/test_cubic.py",
    "ygg_c/testing/layers.pyx": "tests/c/ip/test_layer.py",
}
"""Modules that have none, and which test shows most of what they do. One that gets its own leaves the list; none is
added.
"""


def modules() -> list[str]:
    """Return the modules that are to have tests: all but the `__init__` of packages, and what itself is tests."""
    found = [*(ROOT / "ygg").rglob("*.py"), *(ROOT / "ygg_c").rglob("*.pyx")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found if path.name != "__init__.py"
                  and ROOT / "ygg/testing/conformance" not in path.parents)


def file_of(module: str) -> str:
    """Return where the tests of a module are."""
    package, *folders, name = Path(module).with_suffix("").parts
    return "/".join(["tests", *(["c"] if package == "ygg_c" else []), *folders, f"test_{name}.py"])


def test_each_module_has_its_tests() -> None:
    assert {module for module in modules() if not (ROOT / file_of(module)).exists()} == set(LACKING)
    assert not [file for file in LACKING.values() if not (ROOT / file).exists()]


@pytest.mark.parametrize(("module", "file"), [
    ("ygg/url.py", "tests/test_url.py"),
    ("ygg/stream/tls/object.py", "tests/stream/tls/test_object.py"),
    ("ygg_c/tcp/congestion/base.pyx", "tests/c/tcp/congestion/test_base.py"),
])
def test_where_they_are(module: str, file: str) -> None:
    assert file_of(module) == file
