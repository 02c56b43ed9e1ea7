"""ygg.vtun.sockets: the part of a socket's face that libraries look at."""

import asyncio
import errno
import socket
import struct

import pytest

from tests.aio import until
from tests.expecting import raises_errno
from tests.vtun.test_options import NAMES, SAMPLES, Accepted, connect
from ygg.vtun.options import OPTIONS


class TestSockets:
    @pytest.mark.parametrize("name", [name for name in NAMES if OPTIONS[name].constant])
    def test_options_of_a_listener_hold_for_what_it_accepts(self, with_pair, name):
        async def main(pair):
            value, raw = SAMPLES[name]
            key = OPTIONS[name].key
            accepted = []
            server = await pair.b.create_server(lambda: Accepted(accepted), port=81)
            view = server.sockets[0]
            view.setsockopt(*key, raw)
            assert view.getsockopt(*key, len(raw) if isinstance(raw, bytes) else 0) == raw
            await pair.a.create_connection(asyncio.Protocol, pair.address_b, 81)
            await until(lambda: accepted)
            (transport,) = accepted
            assert getattr(transport.get_extra_info("options"), name) == value
            server.close()

        with_pair(main)

    @pytest.mark.parametrize("name", [name for name in NAMES if OPTIONS[name].constant])
    def test_options_of_an_open_connection(self, with_pair, name):
        async def main(pair):
            there, _, server = await connect(pair)
            value, raw = SAMPLES[name]
            key = OPTIONS[name].key
            sock = there.get_extra_info("socket")
            sock.setsockopt(*key, raw)
            assert getattr(there.get_extra_info("options"), name) == value
            if isinstance(raw, bytes):
                assert sock.getsockopt(*key, 64) == raw
            else:
                assert sock.getsockopt(*key) == raw
                assert sock.getsockopt(*key, 4) == struct.pack("i", raw)
                sock.setsockopt(*key, struct.pack("i", raw))
                assert sock.getsockopt(*key) == raw
            server.close()

        with_pair(main)

    def test_values_are_what_a_kernels_socket_takes(self, with_pair):
        async def main(pair):
            there, _, server = await connect(pair)
            key = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            for sock in (there.get_extra_info("socket"), server.sockets[0]):
                for kind in (bytes, bytearray, memoryview):
                    sock.setsockopt(*key, kind(struct.pack("i", 1234)))
                    assert sock.getsockopt(*key) == 1234
                sock.setsockopt(*key, (1 << 31) - 1)
                assert sock.getsockopt(*key) == (1 << 31) - 1
                for wrong in (1.5, "1"):
                    with pytest.raises(TypeError):
                        sock.setsockopt(*key, wrong)
            server.close()

        with_pair(main)

    def test_a_negative_buffer_of_a_datagram_socket_is_refused(self, with_pair):
        async def main(pair):
            transport, _ = await pair.a.create_datagram_endpoint(asyncio.DatagramProtocol, (pair.address_a, 0))
            with raises_errno(errno.EINVAL):
                transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, -1)
            transport.close()

        with_pair(main)

    def test_errors_name_the_option_and_its_range(self, with_pair):
        async def main(pair):
            there, _, server = await connect(pair)
            for sock in (there.get_extra_info("socket"), server.sockets[0]):
                with raises_errno(errno.EINVAL) as caught:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 70_000)
                assert "max_segment is 64 to 65535 bytes" in str(caught.value)
                with raises_errno(errno.EINVAL) as caught:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 0)
                assert "keepalive_count is 1 to 127, not 0" in str(caught.value)
                with raises_errno(errno.EINVAL):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 1)
                with raises_errno(errno.EINVAL):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, b"1")
            server.close()

        with_pair(main)

    @pytest.mark.parametrize(("name", "why"), [
        ("TCP_FASTOPEN", "do not have Fast Open"), ("TCP_SYNCNT", "syn_retries"), ("TCP_LINGER2", "fin_wait"),
        ("TCP_DEFER_ACCEPT", "accepted when its handshake"), ("TCP_WINDOW_CLAMP", "SO_RCVBUF"),
    ])  # fmt: skip
    def test_what_there_is_not_is_refused_with_a_reason(self, with_pair, name, why):
        async def main(pair):
            there, _, server = await connect(pair)
            for sock in (there.get_extra_info("socket"), server.sockets[0]):
                for call in (lambda s=sock: s.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), 1),
                             lambda s=sock: s.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))):
                    with raises_errno(errno.ENOPROTOOPT) as caught:
                        call()
                    assert name in str(caught.value)
                    assert why in str(caught.value)
            server.close()

        with_pair(main)

    def test_what_cannot_come_back_is_an_error(self, with_pair):
        async def main(pair):
            there, _, server = await connect(pair)
            options = there.get_extra_info("options")
            for name in ("send_buffer", "receive_buffer", "congestion"):
                with pytest.raises(ValueError, match=f"{name} of an open connection cannot become None"):
                    setattr(options, name, None)
            for name in ("user_timeout", "linger", "unsent"):
                setattr(options, name, SAMPLES[name][0])
                setattr(options, name, None)
                assert getattr(options, name) is None
            server.close()

        with_pair(main)
