"""ygg.cli.screen: tables, colours and progress, on terminals and elsewhere."""

import os
import pty
import subprocess
import sys

import pytest

from ygg.cli.screen import Progress, duration, is_rich, line, size, table

ROWS = [["germany", "tls://a.example:1"], ["us", "tcp://[2001:db8::1]:2[/red]"]]


@pytest.mark.parametrize(("number", "text"), [
    (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (3 << 20, "3.0 MiB"), (1 << 50, "1024.0 TiB"),
])  # fmt: skip
def test_sizes(number: int, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3725, "1:02:05"), (1e12, "99:59:59")])
def test_times(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_line_has_share_rate_and_what_is_left() -> None:
    assert line("sent", 1 << 20, 4 << 20, 1 << 20, 1) == "sent   25 %  1.0 MiB of 4.0 MiB  1.0 MiB/s  0:03 left"
    assert line("sent", 4 << 20, 4 << 20, 1 << 20, 1) == "sent  100 %  4.0 MiB of 4.0 MiB  1.0 MiB/s"
    assert line("sent", 2 << 20, 4 << 20, 0, 0) == "sent   50 %  2.0 MiB of 4.0 MiB"
    assert line("dialed", 5, 20, 5, 10, "peers") == "dialed   25 %  5 of 20 peers  0:30 left"
    assert line("sent", 0, 0, 0, 0) == "sent  100 %  0 bytes of 0 bytes"


def test_elsewhere_it_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    table(["country", "peer"], ROWS)
    with Progress("sent") as progress:
        progress.show(1, 2)
        progress.tell("ygg: a word")
    out, err = capsys.readouterr()
    assert out == "germany  tls://a.example:1\nus       tcp://[2001:db8::1]:2[/red]\n"
    assert err == "ygg: a word\n"


def test_always_has_heads_and_cuts_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    table(["country", "peer"], [*ROWS, ["x", "y" * 300]], "always")
    out = capsys.readouterr().out
    assert "\x1b[" in out
    assert "tcp://[2001:db8::1]:2[/red]" in out
    assert "y" * 300 in out


SHOWS = """
import sys
from ygg.cli.screen import Progress, table
table(["country", "peer"], [["us", "tcp://h:1"]], sys.argv[1])
with Progress("sent", when=sys.argv[1]) as progress:
    progress.show(1024, 4096)
    progress.tell("ygg: [bold]word")
    progress.show(4096, 4096)
"""


def on_a_terminal(when: str, **variables: str) -> str:
    """Return what a program shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    subprocess.run([sys.executable, "-W", "error", "-c", SHOWS, when], stdin=theirs, stdout=theirs, stderr=theirs,
                   env=environment | variables, check=True, timeout=60)
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 65536):
            shown += data
    except OSError:     # all of it is read
        pass
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize(("when", "variables", "colours"), [
    ("auto", {}, True), ("never", {}, False), ("auto", {"NO_COLOR": "1"}, False), ("auto", {"TERM": "dumb"}, False),
    ("always", {"NO_COLOR": "1"}, True),
])  # fmt: skip
def test_on_a_terminal(when: str, variables: dict[str, str], colours: bool) -> None:
    shown = on_a_terminal(when, **variables)
    assert ("country" in shown) is colours
    assert "100 %" in shown
    assert "4.0 KiB of 4.0 KiB" in shown
    assert "ygg: [bold]word" in shown


def test_without_rich_it_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_rich("always", sys.stdout)
    monkeypatch.setattr("ygg.cli.screen.find_spec", lambda name: None)
    assert not is_rich("always", sys.stdout)
