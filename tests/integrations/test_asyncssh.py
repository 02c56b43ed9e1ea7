"""ygg.integrations.asyncssh: SSH through a VTun, both ends."""

import asyncssh
import pytest

from tests.integrations.table import shows
from ygg.integrations.asyncssh import Tunnel

KEY = asyncssh.generate_private_key("ssh-ed25519")


class Open(asyncssh.SSHServer):
    """Lets all in."""

    def begin_auth(self, username):
        return False


async def shout(process):
    process.stdout.write((await process.stdin.read()).upper())
    process.exit(0)


@shows("asyncssh", "`ygg.integrations.asyncssh`", "client", "server", lines=1)
def test_commands_and_files(with_pair, tmp_path):
    (tmp_path / "file").write_bytes(bytes(range(256)) * 1000)

    async def main(pair):
        acceptor = await asyncssh.listen(
            pair.address_b, 22, tunnel=Tunnel(pair.b), server_factory=Open, server_host_keys=[KEY],
            process_factory=shout, sftp_factory=asyncssh.SFTPServer)
        async with acceptor:
            tunnel = Tunnel(pair.a)
            async with asyncssh.connect(pair.address_b, tunnel=tunnel, known_hosts=None, username="one",
                                        client_keys=None, config=None) as ssh:
                done = await ssh.run("anything", input="word")
                assert (done.stdout, done.exit_status) == ("WORD", 0)
                async with ssh.start_sftp_client() as files:
                    await files.get(tmp_path / "file", tmp_path / "copy")
                assert (tmp_path / "copy").read_bytes() == (tmp_path / "file").read_bytes()
            await ssh.wait_closed()
        await acceptor.wait_closed()

    with_pair(main)


def test_a_host_that_refuses(with_pair):
    async def main(pair):
        tunnel = Tunnel(pair.a)
        with pytest.raises(ConnectionRefusedError):
            await asyncssh.connect(pair.address_b, 9, tunnel=tunnel, known_hosts=None, config=None)
        tunnel.close()
        await tunnel.wait_closed()
        assert await pair.a.ping(pair.address_b) >= 0   # the VTun goes on

    with_pair(main)
