"""A notation for tests of TCP: one packet in at a time, and exactly the packets that must come out.

A file `scripts/NAME.tcp` holds tests of one subject. `== NAME` begins a test, `#` a comment; all other lines are steps:

    == a segment beyond the window is answered and not taken
    established                         # a connection that a peer has opened, accepted, nothing in flight
    < PA 9000001+100                    # the peer sends 100 bytes far beyond the window
    > A 1 ack 1                         # at once we must send this segment, and nothing else
    readable 0
    +1000 silence                       # for 1000 ms we must send nothing
    write 100
    > PA 1+100 ack 1
    +200..300 > PA 1+100 ack 1          # the same again, 200 to 300 ms later

Whatever leaves and is not expected by the next lines is an error, and so is an expected segment that does not come when
it should. An error shows the line, what it expected and what came.

A step may begin with a time: `+N` ms after the step before, on a virtual clock; before `>` also `+N..M`. Without one it
happens at once.

Segments, `<` from the peer and `>` from us: FLAGS SEQ+SIZE ack N win N <OPTIONS> ce xN port N

    FLAGS       letters of F S R P A U E C, `-` for none; `>` looks at P only where it is written
    SEQ+SIZE    the first sequence number and the size of the payload; +SIZE may be left out, in `<` SEQ too: what is
                due
    ack N       `<`: as before where left out; `>`: not looked at where left out
    win N       in bytes, scaled as agreed; `<`: as before; `>`: not looked at; `win A..B` in `>` is a range
    <OPTIONS>   mss N, ws N, sackok, ts VALUE ecr VALUE, sack A:B C:D … (in this order), separated by commas. `>`:
                exactly these; `<*, …>` at least these; `<>` none; without the brackets none is looked at. `ts` is
                any timestamp
    not-ect, ect0, ect1, ce
                the ECN field of the IPv6 header; `<`: not-ect where left out; `>`: not looked at
    xN          `>` only: N segments like this, each beginning where the one before ended
    port N      the peer's port, where several connections are open; calls take it too

Sequence numbers count from each side's first: 0 is the SYN, 1 the first byte. Payloads are not written: the byte at
every position is known, so that each payload and each `read` is checked against what belongs there. Timestamps are ms
on the script's clock, which starts at 1000: `ts 1200` was stamped at 1200. Where timestamps are in use and `<` has no
brackets, the peer sends the right ones.

Packets that are no segments:

    < icmp KIND N about SEQ[+SIZE] [from stranger]
                        an ICMPv6 error that quotes our segment, from the peer or from a third node. KIND: unreachable,
                        too-big, time-exceeded, problem; N: the MTU of too-big, else the code
    < icmp KIND N about udp [from stranger]
                        the same, quoting the latest datagram that we sent
    > icmp KIND N       an error that we send; `problem` may be followed by `at POINTER`
    < echo SIZE, > echo-reply SIZE
                        SIZE is that of the payload
    < fragment FIRST..LAST of SIZE
                        bytes of an echo request of SIZE bytes, its header of 8 included
    < next-header N, < option NUMBER
                        a header, or a destination option in front of a datagram, of this type
    < udp PORT SIZE, > udp PORT SIZE
                        a datagram from the peer's port (to port 9, or our socket's), or to it

Calls of the application, and what it may look at; times are ms, and `port N` may follow:

    listen [backlog N]   unlisten   accept   accept none   connect
    established [rtt MS] [win N] [<OPTIONS>]    the peer opens, we accept; as a rule with SACK and window scaling
    dialed [the same]                           we open, the peer accepts
    write N   send N takes M   read N   shutdown   close   abort   close-stack   …   fails ERRNO
    nodelay on|off   cork on|off   keepalive IDLE INTERVAL COUNT   keepalive off   user-timeout MS
    linger MS|none
    state NAME   error NAME|none   events NAME…|none   readable N   queued N
    info KEY OP N   counter KEY OP N            OP is =, <, <=, > or >=; N may be `before NAME`, which `note` has taken
    note NAME info KEY
    udp-connect PORT   udp-bind PORT   udp-send N [to PORT]   udp-error NAME|none

The world: `mtu N`, `set NAME N` (of the stack; times in ms), `iss N` (the peer's), `credit N` come before what they are
for. Blocks, ended by `end`: `repeat N`; `together`, segments that arrive in one batch; `in every order`, segments for
each order of which the test runs once, not looking at the answers to them. `skip` after a time lets it pass whatever is
sent; `> …` takes all that has left.

`xfail: REASON` below the name says that the test fails today. A test that passes with it is an error: remove the line.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}
ECN = {"not-ect": 0, "ect1": 1, "ect0": 2, "ce": 3}
KINDS = {"unreachable": 1, "too-big": 2, "time-exceeded": 3, "problem": 4}

_TIME = re.compile(r"\+(\d+(?:\.\d+)?)(?:\.\.(\d+(?:\.\d+)?))?(?:\s+|$)")
_PLACE = re.compile(r"(-?\d+)(?:\+(\d+))?$")


class ScriptError(Exception):
    """A line that is none."""


@dataclass(frozen=True)
class Options:
    """The options of a segment; None: absent."""

    mss: int | None = None
    scale: int | None = None
    sack_ok: bool = False
    stamp: tuple[int, int] | None = None
    sacks: tuple[tuple[int, int], ...] = ()
    at_least: bool = False


@dataclass(frozen=True)
class Segment:
    """A segment as a script has it: numbers relative to each side's first, None where it says nothing."""

    flags: int
    seq: int | None = None
    size: int = 0
    ack: int | None = None
    window: int | None = None
    most: int | None = None
    options: Options | None = None
    count: int = 1
    port: int | None = None
    ecn: int | None = None


@dataclass(frozen=True)
class Step:
    """One line."""

    where: str
    text: str
    verb: str
    words: tuple[str, ...] = ()
    segment: Segment | None = None
    after: float = 0.0
    until: float | None = None
    batch: tuple[Step, ...] = ()
    timed: bool = False


@dataclass
class Script:
    """One test: its steps once for every order of the block that has one."""

    name: str
    where: str
    xfail: str = ""
    steps: list[Step | list[Step]] = field(default_factory=list)

    def orders(self) -> Iterator[list[Step]]:
        """Yield the steps, with each order of an `in every order` block in turn."""
        at = next((index for index, step in enumerate(self.steps) if isinstance(step, list)), None)
        if at is None:
            yield [step for step in self.steps if isinstance(step, Step)]
            return
        block = self.steps[at]
        assert isinstance(block, list)
        for order in itertools.permutations(block):
            chosen: list[Step | list[Step]] = [step for one in order for step in (one, replace(one, verb="forget"))]
            yield from Script(self.name, self.where, "", self.steps[:at] + chosen + self.steps[at + 1 :]).orders()


def parse_options(text: str) -> Options:
    """Return the options between angle brackets."""
    options = Options()
    for part in (part.split() for part in text.split(",") if part.strip()):
        match part:
            case ["*"]:
                options = replace(options, at_least=True)
            case ["mss", size]:
                options = replace(options, mss=int(size))
            case ["ws", shift]:
                options = replace(options, scale=int(shift))
            case ["sackok"]:
                options = replace(options, sack_ok=True)
            case ["ts"]:
                options = replace(options, stamp=(-1, -1))
            case ["ts", value, "ecr", echo]:
                options = replace(options, stamp=(int(value), int(echo)))
            case ["sack", *blocks]:
                pairs = tuple((int(start), int(end)) for start, end in (block.split(":") for block in blocks))
                options = replace(options, sacks=pairs)
            case _:
                raise ScriptError(f"no TCP option: {' '.join(part)}")
    return options


def split_options(text: str) -> tuple[list[str], Options | None]:
    """Return the words of a line without what is between angle brackets, and that."""
    head, opened, tail = text.partition("<")
    options, closed, tail = tail.partition(">")
    if opened and not closed:
        raise ScriptError("options end with >")
    return (head + tail).split(), parse_options(options) if opened else None


def parse_segment(text: str) -> Segment:
    """Return the segment that a line spells."""
    words, options = split_options(text)
    letters, *words = words or [""]
    if letters != "-" and (not letters or set(letters) - set(FLAGS)):
        raise ScriptError(f"no flags: {letters!r} (letters of {''.join(FLAGS)}, or -)")
    segment = Segment(sum(FLAGS[letter] for letter in letters if letter != "-"), options=options)
    if words and (place := _PLACE.match(words[0])):
        segment = replace(segment, seq=int(place[1]), size=int(place[2] or 0))
        words = words[1:]
    while words:
        segment, words = _parse_part(segment, words)
    return segment


def _parse_part(segment: Segment, words: list[str]) -> tuple[Segment, list[str]]:
    match words:
        case ["ack", number, *rest]:
            return replace(segment, ack=int(number)), rest
        case ["win", size, *rest]:
            least, _, most = size.partition("..")
            return replace(segment, window=int(least), most=int(most) if most else None), rest
        case [field, *rest] if field in ECN:
            return replace(segment, ecn=ECN[field]), rest
        case ["port", number, *rest]:
            return replace(segment, port=int(number)), rest
        case [count, *rest] if count[0] == "x":
            return replace(segment, count=int(count[1:])), rest
    raise ScriptError(f"no part of a segment: {' '.join(words)} (FLAGS SEQ+SIZE ack N win N <OPTIONS> xN port N)")


OTHERS = ("icmp", "echo", "echo-reply", "udp", "fragment", "next-header", "option")


def parse_step(where: str, text: str) -> Step:
    """Return the step that a line spells."""
    time = _TIME.match(text)
    rest = text[time.end() :] if time else text
    after = float(time[1]) if time else 0.0
    until = float(time[2]) if time and time[2] else None
    verb, *words = rest.split() or ["silence"]
    step = Step(where, text, verb, tuple(words), None, after, until, timed=time is not None)
    if verb not in "<>":
        return step
    if words[:1] == ["…"] or (words and words[0] in OTHERS):
        return step
    return replace(step, segment=parse_segment(rest[1:].strip()))


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if text := line.split("#")[0].strip():
            yield f"{path.name}:{number}", text


def _block(lines: Iterator[tuple[str, str]]) -> list[Step]:
    steps = []
    for where, text in lines:
        if text == "end":
            return steps
        steps += _steps(where, text, lines)
    raise ScriptError("a block without `end`")


def _steps(where: str, text: str, lines: Iterator[tuple[str, str]]) -> list[Step]:
    if text == "together":
        return [Step(where, text, "together", batch=tuple(_block(lines)))]
    if text.startswith("repeat "):
        return _block(lines) * int(text.split()[1])
    return [parse_step(where, text)]


def load(path: Path) -> list[Script]:
    """Return the tests of one file."""
    scripts: list[Script] = []
    lines = _lines(path)
    for where, text in lines:
        try:
            if text.startswith("== "):
                scripts.append(Script(text[3:], where))
            elif text.startswith("xfail:"):
                scripts[-1].xfail = text[6:].strip()
            elif text == "in every order":
                scripts[-1].steps.append(_block(lines))
            else:
                scripts[-1].steps += _steps(where, text, lines)
        except (ScriptError, IndexError, ValueError) as error:
            raise ScriptError(f"{where}: {text}\n  {error}") from error
    return scripts
