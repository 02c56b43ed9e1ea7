"""ygg dns: answers the questions of this machine's programs."""

import re
import signal
import socket
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.cli.command import start
from ygg.cli import main

WAY = ["--listen", "tcp://127.0.0.1:0"]


def test_it_answers_until_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("200::4 friend.example\n")
    with start(tmp_path, "dns", "--answer", "127.0.0.1:0", "--hosts", "hosts", *WAY) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        port = next(int(found[1]) for line in lines if (found := re.search(r"questions at 127\.0\.0\.1:(\d+)", line)))
        for ask in (dns.query.udp, dns.query.tcp):
            reply = ask(dns.message.make_query("friend.example", "AAAA"), "127.0.0.1", timeout=30, port=port)
            assert [record.to_text() for record in reply.answer[0]] == ["200::4"]
        reply = dns.query.udp(dns.message.make_query("site.ygg", "AAAA"), "127.0.0.1", timeout=60, port=port)
        assert reply.rcode() == dns.rcode.SERVFAIL      # no peer is up
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize(("options", "status", "text"), [
    (["--answer", "localhost:53"], 2, "--answer: 'localhost:53' is no address and port; write 127.0.0.1:5300 or "
     "[::1]:5300"),
    (["--answer", "127.0.0.1:99999"], 2, "--answer: '127.0.0.1:99999' is no address and port; write 127.0.0.1:5300 or "
     "[::1]:5300"),
    (["--nameserver", "dns.example"], 2, "'dns.example' is no name server; write an address of the overlay, or "
     "[ADDRESS]:PORT"),
    (["--hosts", "/nonexistent/hosts"], 1, "--hosts: [Errno 2] No such file or directory: '/nonexistent/hosts'"),
])
def test_what_makes_no_sense(options: list[str], status: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dns", *options, *WAY]) == status
    assert capsys.readouterr().err.splitlines()[-1] == f"ygg: {text}"


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["dns", "--answer", at, *WAY]) == 1
        assert f"ygg: --answer {at}: " in capsys.readouterr().err
