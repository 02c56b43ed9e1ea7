"""docs/design.md and docs/architecture.md speak of what there is: files, classes and their methods."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = "\n".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("design.md", "architecture.md"))
FILES = [path for package in ("ygg", "ygg_c") for path in (ROOT / package).rglob("*")
         if path.suffix in (".py", ".pyx", ".pxd")]
SOURCES = "\n".join(path.read_text() for path in FILES)
NAMES = re.findall(r"`([^`\n]+)`", TEXT.replace("```", ""))


def test_the_files_are_there() -> None:
    paths = [name for name in NAMES if name.startswith(("ygg/", "ygg_c/", "tests/", "docs/", "tools/"))]
    assert len(paths) > 2
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_the_modules_are_there() -> None:
    modules = re.findall(r"\b(ygg(?:_c)?)\.(\w+)", TEXT)
    assert len(modules) > 10
    for package, module in modules:
        assert list((ROOT / package).glob(f"{module}*")), f"{package}.{module}"


def test_the_classes_and_methods_are_there() -> None:
    found = [name.split(".") for name in NAMES if re.fullmatch(r"[A-Z]\w+(\.\w+)?", name)]
    assert len(found) > 10
    for kind, *method in found:
        assert kind == "Packet" or re.search(rf"\b(class|struct) {kind}\b", SOURCES), kind
        assert not method or re.search(rf"\b(def|cdef \w+|cdef \w+ \w+) {method[0]}\(", SOURCES), method
