"""The rooms of ygg stand above each other: what is below never imports what is above, at run time or for types."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LAYERS = (
    ("errors", "version"),
    ("defaults", "keys", "strings", "url", "wholefile"),
    ("address", "certificate", "confile", "handshake", "nodeinfo"),
    ("config", "state"),
    ("stream",),
    ("network",),
    ("transport",),
    ("admission", "carrier", "driver", "links", "meeting", "redial"),
    ("core",),
    ("ipv6rwc",),
    ("tun",),
    ("vtun",),
    ("autopeer", "integrations", "jumper", "multicast"),
    ("daemon",),
    ("cli", "demo"),
    ("__init__", "__main__"),
)
"""Modules and packages, the lowest first. Packages import nothing of their own layer, single modules may."""
RANKS = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def imported(path: Path) -> Iterator[str]:
    """Yield the names of the modules that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "ygg":
            yield from (f"ygg.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def room(path: Path) -> str:
    return path.relative_to(ROOT / "ygg").with_suffix("").parts[0]


def test_every_room_has_its_layer() -> None:
    rooms = {room(path) for path in (ROOT / "ygg").rglob("*.py")}
    assert rooms == set(RANKS)


def test_nothing_imports_what_is_above_it() -> None:
    wrong = []
    for path in (ROOT / "ygg").rglob("*.py"):
        own = room(path)
        for name in imported(path):
            package, _, rest = name.partition(".")
            target = rest.partition(".")[0]
            # What `ygg` itself exports is loaded when first used, from wherever it is: no room may use that.
            if package != "ygg" or target in ("", own):
                continue
            package_above = (ROOT / "ygg" / target).is_dir() and RANKS.get(target, 99) >= RANKS[own]
            if RANKS.get(target, len(LAYERS) * (own != "demo")) > RANKS[own] or package_above:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_the_engine_knows_nothing_of_ygg() -> None:
    for path in (ROOT / "ygg_c").rglob("*.py*"):
        if path.suffix in (".py", ".pyx", ".pxd", ".pyi"):
            lines = [line.split() for line in path.read_text().splitlines()]
            found = [line for line in lines if line[:1] in (["from"], ["import"], ["cimport"])]
            assert not [line for line in found if line[1].split(".")[0].rstrip(",") == "ygg"], path
