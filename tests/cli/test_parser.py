"""ygg.cli.parser: hints at what may have been meant, and help by name."""

import pytest

from ygg.cli import main
from ygg.cli.entry import COMMANDS
from ygg.cli.parser import hint


@pytest.mark.parametrize(("arguments", "says"), [
    (["pign", "200::1"], "there is no command 'pign'; did you mean 'ping'?"),
    (["xyzzy"], "there is no command 'xyzzy'\n"),
    (["help", "showw"], "there is no command 'showw'; did you mean 'show'?"),
    (["run", "--confg", "x"], "there is no option '--confg'; did you mean '--config'?"),
    (["run", "--confg=x"], "there is no option '--confg'; did you mean '--config'?"),
    (["genconf", "--js"], "there is no option '--js'; did you mean '--json'?"),
    (["--versoin"], "there is no option '--versoin'; did you mean '--version'?"),
    (["peers", "--zzz"], "there is no option '--zzz'\n"),
])
def test_what_is_mistyped_is_named_with_the_nearest(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["help"]])
def test_without_a_command_help_is_shown(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: ygg ")
    assert "ping an address" in out


@pytest.mark.parametrize("command", [*COMMANDS, "help"])
def test_help_of_a_command_is_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", command]) == 0
    by_name = capsys.readouterr().out
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out == by_name
    assert by_name.startswith(f"usage: ygg {command} ")


def test_arguments_after_two_dashes_are_no_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "--", "--config"]) == 2
    assert "there is no command '--config'" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "known", "text"), [
    ("pin", ["ping", "run"], "; did you mean 'ping'?"), ("q", ["ping", "run"], ""), ("x", [], ""),
])
def test_hint(name: str, known: list[str], text: str) -> None:
    assert hint(name, known) == text
