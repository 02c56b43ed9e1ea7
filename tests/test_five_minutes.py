"""docs/five-minutes.md: its programs run as a reader runs them, from files, and print what the page says."""

import re
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/five-minutes.md").read_text(encoding="utf-8")
SECTIONS = {section.split("\n")[0]: section for section in TEXT.split("\n## ")[1:]}


def program(section: str) -> str:
    (found,) = re.findall(r"^```python\n(.*?)^```", SECTIONS[section], re.M | re.S)
    return str(found)


def shown(section: str) -> str:
    """Return what the page shows as printed; `…` is anything."""
    (found,) = re.findall(r"^```\n\$ python .*?\n(.*?)^```", SECTIONS[section], re.M | re.S)
    return re.escape(found).replace("…", ".+")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_service_and_client(tmp_path: Path) -> None:
    port = str(free_port())
    for name, section in (("service.py", "2. A service"), ("client.py", "3. A client")):
        assert f"`{name}`" in SECTIONS[section]
        (tmp_path / name).write_text(program(section).replace("7777", port))
    python = [sys.executable, "-W", "error"]
    with subprocess.Popen([*python, "service.py"], cwd=tmp_path, text=True, stdout=subprocess.PIPE) as service:
        try:
            assert service.stdout is not None
            line = service.stdout.readline()
            assert re.fullmatch(shown("2. A service"), line)
            done = subprocess.run([*python, "client.py", line.split()[2]], cwd=tmp_path, text=True, capture_output=True,
                                  timeout=60, check=False)
            assert done.stderr == ""
            assert re.fullmatch(shown("3. A client"), done.stdout)
        finally:
            service.kill()


def test_http(tmp_path: Path) -> None:
    text = program("5. HTTP") + "\nimport asyncio\nasyncio.run(main())\n"
    done = subprocess.run([sys.executable, "-W", "error", "-c", text], cwd=tmp_path, text=True, capture_output=True,
                          timeout=60, check=False)
    assert done.stderr == ""
    assert re.fullmatch(r"http://\[2[0-9a-f:]+\]/\n", done.stdout)


def test_the_node_of_the_real_network_is_one() -> None:
    names: dict[str, object] = {}
    exec(program("4. Over the real network"), names)
    assert callable(names["open_node"])
    assert names["open_node"]("a.key").__class__.__name__ == "Opening"
