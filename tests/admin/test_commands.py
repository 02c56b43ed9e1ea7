"""A table of commands."""

import pytest

from ygg.admin import AdminError, Arguments, Command, Commands


def test_list_and_names_in_any_case() -> None:
    commands = Commands(Command("getB", "b", lambda _: 1, ("x",)), Command("geta", "a", lambda _: 2))
    assert commands.find("GETB").run(Arguments()) == 1
    assert commands.find("list").run(Arguments()) == {"list": [
        {"command": "geta", "description": "a"}, {"command": "getb", "description": "b", "fields": ["x"]},
        {"command": "list", "description": "List available commands"},
    ]}  # fmt: skip


def test_errors() -> None:
    commands = Commands()
    with pytest.raises(AdminError, match=r"^no request specified$"):
        commands.find("")
    with pytest.raises(AdminError, match=r"^unknown action 'nosuch', try 'list' for help$"):
        commands.find("noSuch")
    with pytest.raises(ValueError, match="there is a command list already"):
        commands.add(Command("LIST", "", print))
