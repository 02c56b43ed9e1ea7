"""The notation of scripts, and that each script is some test's. What TCP must do is in scripts/, packet by packet."""

import re
from pathlib import Path

import pytest

from tests.c.tcp.calls import Calls, Mismatch
from tests.c.tcp.notation import Script, ScriptError, load
from tests.c.tcp.player import play
from tests.c.tcp.scripted import FOLDER

FILES = sorted(FOLDER.glob("*.tcp"))


def test_each_file_belongs_to_one_test() -> None:
    """A file of scripts that no test plays would pass whatever it says."""
    tests = [path.read_text(encoding="utf-8") for path in FOLDER.parent.parent.rglob("test_*.py")]
    played = [name for text in tests for call in re.findall(r"= scripts\(([^)]*)\)", text)
              for name in re.findall(r'"([^"]+)"', call)]
    assert sorted(played) == [path.stem for path in FILES]


# The notation itself: a test that expects what does not come must fail, and say so.


def written(tmp_path: Path, text: str) -> Script:
    path = tmp_path / "one.tcp"
    path.write_text("== one\n" + text, encoding="utf-8")
    (script,) = load(path)
    return script


WRONG = {
    "silence where an answer comes": ("established\n< A 9000001+1", "nothing more was to be sent"),
    "an answer where silence is": ("established\n> A 1", "came      nothing"),
    "another flag": ("< S 0\n> RA 0 ack 2", "expected  ack 2"),
    "another size": ("established\nwrite 5\n> A 1+4", "4 bytes"),
    "another option": ("listen\n< S 0 <sackok>\n> SA 0 ack 1 <mss 1220>", "options <mss 1220>"),
    "too early": ("established\nwrite 5\n> A 1+5\n+3000..9000 > A 1+5", "had to pass before"),
    "too late": ("established\nwrite 5\n> A 1+5\n+5 > A 1+5", "came      nothing"),
    "something in between": ("established\nwrite 5\n> A 1+5\n+9000 silence", "nothing was to be sent"),
    "another state": ("established\nstate CLOSED", "state ESTABLISHED"),
    "a call that works": ("established\nwrite 1 fails EPIPE", "came      success"),
    "a call that fails": ("established\nshutdown\n> FA 1\nwrite 1", "EPIPE"),
    "another event": ("established\n< A 1+5\nevents EOF", "READABLE"),
    "another number of bytes": ("established\n< A 1+5\nread 6", "5 bytes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_come_is_an_error_with_the_line(name, tmp_path):
    text, told = WRONG[name]
    with pytest.raises(Mismatch) as caught:
        play(written(tmp_path, text))
    assert told in str(caught.value)
    assert f"one.tcp:{len(text.splitlines()) + 1}" in str(caught.value)


@pytest.mark.parametrize("text", ["< A ack ack", "> Q 1", "> A 1 <mss>", "together\n< A 1", "> A 1 <sack 1>"])
def test_a_line_that_is_none_is_found_when_it_is_read(text, tmp_path):
    with pytest.raises(ScriptError, match=r"one\.tcp"):
        written(tmp_path, text)



def test_every_word_that_a_line_begins_with_is_one():
    """Where a test fails today, this would not show."""
    steps = [step for path in FILES for script in load(path) for step in next(script.orders())]
    words = {step.verb.replace("-", "_") for step in steps} - {"<", ">", "together", "skip", "forget"}
    assert sorted(word for word in words if not hasattr(Calls, word)) == []


def test_the_script_in_the_docs_is_one(tmp_path):
    page = Path(__file__).parents[3] / "docs/tcp-tests.md"
    text = page.read_text(encoding="utf-8").split("```\n")[1]
    play(written(tmp_path, text.partition("\n")[2]))
