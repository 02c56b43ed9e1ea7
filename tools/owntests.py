"""Where each module's own tests are: of ygg/x/y.py in tests/x/test_y.py, of ygg_c/x/y.pyx in tests/c/x/test_y.py."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def modules() -> list[str]:
    """Return the modules that are to have tests: all but the `__init__` of packages, and what itself is tests."""
    found = [*(ROOT / "ygg").rglob("*.py"), *(ROOT / "ygg_c").rglob("*.pyx")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found if path.name != "__init__.py"
                  and ROOT / "ygg/testing/conformance" not in path.parents)


def file_of(module: str) -> str:
    """Return where the tests of a module are."""
    package, *folders, name = Path(module).with_suffix("").parts
    return "/".join(["tests", *(["c"] if package == "ygg_c" else []), *folders, f"test_{name}.py"])
