"""Options of connections: one table, set for a VTun, a listener, a dial or an open connection, and as a socket's."""

import asyncio
import errno
import socket
import struct
import typing
from pathlib import Path

import pytest

from tests.aio import in_virtual_time, until
from tests.expecting import raises_errno
from ygg.simulation import Switch, VirtualLoop
from ygg.vtun import ConnectionOptions, VTun
from ygg.vtun.options import OPTIONS, Ecn, OptionArguments, begin_with
from ygg_c.tcp.options import TcpOptions

PAGE = Path(__file__).parents[2] / "docs/tcp.md"

# For each option a value that is not its default, and what a socket has for it.
SAMPLES = {
    "nodelay": (False, 0), "cork": (True, 1), "quick_ack": (True, 1), "keepalive": (False, 0),
    "keepalive_idle": (30, 30), "keepalive_interval": (5, 5), "keepalive_count": (3, 3), "user_timeout": (1.5, 1500),
    "linger": (4, struct.pack("ii", 1, 4)), "send_buffer": (50_000, 50_000), "receive_buffer": (60_000, 60_000),
    "unsent": (16_384, 16_384), "max_segment": (500, 500), "congestion": ("newreno", b"newreno"), "ecn": ("off", None),
}  # fmt: skip
WRONG = {
    "nodelay": 3, "cork": None, "quick_ack": "yes", "keepalive": 7200,
    "keepalive_idle": 0, "keepalive_interval": 40_000, "keepalive_count": 128, "user_timeout": 0,
    "linger": -1, "send_buffer": 100, "receive_buffer": 1 << 31,
    "unsent": 0, "max_segment": 63, "congestion": "carrier-pigeon", "ecn": 1,
}  # fmt: skip
NAMES = sorted(OPTIONS)


def everything() -> OptionArguments:
    """Return all samples as arguments."""
    return typing.cast(OptionArguments, {name: value for name, (value, _) in SAMPLES.items()})


class Accepted(asyncio.Protocol):
    """Puts its transport into a list."""

    def __init__(self, accepted):
        self.accepted = accepted

    def connection_made(self, transport):
        self.accepted.append(transport)


async def connect(pair, listening=None, dialling=None):
    """Return the dialled transport, the accepted one, and the server."""
    accepted = []
    server = await pair.b.create_server(lambda: Accepted(accepted), port=80, **(listening or {}))
    transport, _ = await pair.a.create_connection(asyncio.Protocol, pair.address_b, 80, **(dialling or {}))
    await until(lambda: accepted)
    return transport, accepted[0], server


class TestTable:
    def test_the_arguments_are_those_of_the_table(self):
        assert list(OptionArguments.__annotations__) == list(OPTIONS)
        assert set(SAMPLES) == set(WRONG) == set(OPTIONS)

    def test_each_has_a_socket_option_of_its_own_that_exists(self):
        constants = [option.constant for option in OPTIONS.values() if option.constant is not None]
        assert len(constants) == len(set(constants)) == len(OPTIONS) - 1
        assert all(option.key is not None for option in OPTIONS.values() if option.constant)
        assert ConnectionOptions.ecn.names == typing.get_args(Ecn)

    def test_the_page_has_the_same_table(self):
        defaults = VTun(["200::1"]).options.as_dict()
        rows = [
            f"| `{name}` | {option.values} | {defaults[name]!r} | {f'`{option.constant}`' if option.constant else '—'} "
            f"| {option.meaning} | {'yes' if option.living else 'read'} |"
            for name, option in OPTIONS.items()
        ]
        page = PAGE.read_text(encoding="utf-8")
        _, _, table = page.partition("| option | values | VTun | socket option |")
        assert table.partition("\n\n")[0].splitlines()[2:] == rows

    @pytest.mark.parametrize("name", NAMES)
    def test_each_can_be_set_and_read(self, name):
        options = VTun(["200::1"]).options
        value, _ = SAMPLES[name]
        assert getattr(options, name) != value
        setattr(options, name, value)
        assert getattr(options, name) == value
        others = {other: held for other, held in options.as_dict().items() if other != name}
        assert others == {other: held for other, held in VTun(["200::1"]).options.as_dict().items() if other != name}

    @pytest.mark.parametrize("name", NAMES)
    def test_errors_name_the_option_and_its_values(self, name):
        options = ConnectionOptions(TcpOptions())
        before = options.as_dict()
        with pytest.raises(ValueError) as caught:  # noqa: PT011 (the text is checked below)
            setattr(options, name, WRONG[name])
        assert str(caught.value) == f"{name} is {OPTIONS[name].values}, not {WRONG[name]!r}"
        assert options.as_dict() == before

    def test_of_several_none_is_set_when_one_is_wrong(self):
        options = ConnectionOptions(TcpOptions())
        before = options.as_dict()
        with pytest.raises(ValueError, match="max_segment is 64 to 65535 bytes"):
            options.update({"cork": True, "max_segment": 1})
        with pytest.raises(TypeError, match="no option 'nodely'"):
            options.update(typing.cast(OptionArguments, {"cork": True, "nodely": True}))
        assert options.as_dict() == before

    def test_ends_of_ranges(self):
        options = ConnectionOptions(TcpOptions())
        names = "keepalive_idle", "keepalive_count", "user_timeout", "linger", "send_buffer", "unsent", "max_segment"
        for name in names:
            option = getattr(ConnectionOptions, name)
            for value in (option.least, option.most):
                setattr(options, name, value)
                assert getattr(options, name) == value
            assert not option.fits(option.most + 1)

    def test_a_name_that_there_is_not_cannot_be_set(self):
        options = VTun(["200::1"]).options
        with pytest.raises(AttributeError):
            setattr(options, "no_delay", True)  # noqa: B010 (it is no attribute)
        assert repr(options).startswith("<ConnectionOptions nodelay=True, cork=False, ")

    def test_a_copy_is_one_of_its_own(self):
        defaults = TcpOptions()
        options = begin_with(defaults, everything())
        assert ConnectionOptions(options).as_dict() == ConnectionOptions(options.copy()).as_dict() == everything()
        assert ConnectionOptions(defaults).as_dict() == ConnectionOptions(TcpOptions()).as_dict()


class TestWhatConnectionsBeginWith:
    def check(self, transport):
        assert transport.get_extra_info("options").as_dict() == everything()

    def test_what_a_vtun_was_made_with(self, with_pair):
        async def main(pair):
            vtun = VTun(["200::1"], 1280, **everything())
            assert vtun.options.as_dict() == everything()
            await vtun.close()

        with_pair(main)

    def test_of_a_vtun_hold_for_what_it_dials_and_what_it_accepts(self, with_pair):
        async def main(pair):
            pair.a.options.update(everything())
            pair.b.options.update(everything())
            there, here, server = await connect(pair)
            self.check(there)
            self.check(here)
            server.close()

        with_pair(main)

    def test_of_a_listener_hold_for_what_it_accepts(self, with_pair):
        async def main(pair):
            there, here, server = await connect(pair, listening=everything())
            self.check(here)
            assert there.get_extra_info("options").as_dict() != everything()
            server.close()

        with_pair(main)

    def test_of_a_dial_hold_for_it_alone(self, with_pair):
        async def main(pair):
            there, _, server = await connect(pair, dialling=everything())
            self.check(there)
            other, _ = await pair.a.create_connection(asyncio.Protocol, pair.address_b, 80)
            assert other.get_extra_info("options").nodelay is True
            assert pair.a.options.nodelay is True
            server.close()

        with_pair(main)

    def test_streams_take_them_too(self, with_pair):
        async def main(pair):
            seen = []
            server = await pair.b.start_server(
                lambda reader, writer: seen.append(writer), port=80, keepalive=True, max_segment=1000
            )
            _, writer = await pair.a.open_connection(pair.address_b, 80, congestion="newreno")
            await until(lambda: seen)
            assert writer.get_extra_info("options").congestion == "newreno"
            options = seen[0].get_extra_info("options")
            assert (options.keepalive, options.max_segment) == (True, 1000)
            for one in (writer, seen[0]):
                one.close()
            server.close()

        with_pair(main)

    def test_keep_alive_as_asyncio_has_it(self, with_pair):
        async def main(pair):
            _, here, server = await connect(pair, listening={"keep_alive": True})
            assert here.get_extra_info("options").keepalive is True
            server.close()

        with_pair(main)

    def test_a_listener_that_was_there_before_keeps_its_own(self, with_pair):
        async def main(pair):
            server = await pair.b.create_server(asyncio.Protocol, port=81)
            pair.b.options.cork = True
            view = server.sockets[0]
            assert view.getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK) == 0
            server.close()

        with_pair(main)

    def test_a_wrong_one_opens_nothing(self, with_pair):
        async def main(pair):
            with pytest.raises(ValueError, match="max_segment is 64 to 65535"):
                await pair.a.create_connection(asyncio.Protocol, pair.address_b, 80, max_segment=0)
            with pytest.raises(ValueError, match="ecn is 'off', 'on', 'when asked' or None"):
                await pair.a.create_server(asyncio.Protocol, port=80, ecn=True)
            with pytest.raises(TypeError, match="no option 'delay'"):
                await pair.a.create_server(asyncio.Protocol, port=80, delay=True)
            assert pair.a.stack.endpoints() == []

        with_pair(main)

    @pytest.mark.parametrize("dialler", ["off", "on", "when asked", None])
    @pytest.mark.parametrize("listener", ["off", "on", "when asked", None])
    def test_ecn(self, with_pair, dialler, listener):
        """It is in use where one side asks and the other one agrees; the stack's is "on"."""

        async def main(pair):
            there, here, server = await connect(pair, {"ecn": listener}, {"ecn": dialler})
            agreed = dialler in ("on", None) and listener != "off"
            assert there.get_extra_info("tcp_info").ecn == here.get_extra_info("tcp_info").ecn == agreed
            assert there.get_extra_info("options").ecn == (dialler or "on")
            with raises_errno(errno.EISCONN):
                there.get_extra_info("options").ecn = "on"
            server.close()

        with_pair(main)

    def test_a_dial_gives_up_after_its_user_timeout(self, with_pair):
        async def main(pair):
            pair.wire.passes = lambda packet: False
            with pytest.raises(TimeoutError):
                await pair.a.create_connection(asyncio.Protocol, pair.address_b, 80, user_timeout=0.05)

        with_pair(main)


@in_virtual_time
@pytest.mark.parametrize("writes", [1, 30])
async def test_what_writes_to_what_has_died_is_told_within_its_user_timeout(writes: int) -> None:
    """However long it was idle before, and however often it writes meanwhile."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    async with VTun(["200::a"], clock=loop.clock) as here, VTun(["200::b"], clock=loop.clock) as there:
        wire = Switch([here.upper, there.upper])
        async with await there.start_server(lambda reader, _: None, port=80):
            reader, writer = await here.open_connection("200::b", 80, user_timeout=20, keepalive=False)
            writer.write(b"something")
            await asyncio.sleep(10)
            wire.cut()
            await asyncio.sleep(1000)
            assert not writer.is_closing()
            began = loop.time()
            for _ in range(writes):
                if not writer.is_closing():
                    writer.write(b"something")
                    await asyncio.sleep(1)
            with raises_errno(errno.ETIMEDOUT):
                await reader.read()
            assert loop.time() - began == pytest.approx(20, abs=1)
            wire.close()


@in_virtual_time
async def test_idle_connections_to_what_has_died_end_within_minutes() -> None:
    """Both ends, without an option of theirs; where keepalive is off they go on."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    async with VTun(["200::a"], clock=loop.clock) as here, VTun(["200::b"], clock=loop.clock) as there:
        wire = Switch([here.upper, there.upper])
        accepted: asyncio.Queue[asyncio.StreamReader] = asyncio.Queue()
        await there.start_server(lambda reader, _: accepted.put_nowait(reader), port=80)
        reader, writer = await here.open_connection("200::b", 80)
        kept, keeping = await here.open_connection("200::b", 80, keepalive=False)
        ends = [reader, await accepted.get()]
        await asyncio.sleep(1000)   # as long as probes are answered
        assert not writer.is_closing()
        wire.cut()
        for end in ends:
            with raises_errno(errno.ETIMEDOUT):
                async with asyncio.timeout(8 * 60):
                    await end.read()
        assert not keeping.is_closing()
        assert not kept.at_eof()
        keeping.transport.abort()
        wire.close()
