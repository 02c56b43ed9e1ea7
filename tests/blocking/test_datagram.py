"""Datagrams, with calls that block."""

import pytest

from tests.blocking.pair import pair


def test_there_and_back() -> None:
    with pair() as (server, client), server.open_datagram(local_port=53) as service, client.open_datagram() as asking:
        assert service.getsockname()[1] == 53
        asking.sendto(b"anybody there?", (str(server.address), 53), timeout=30)
        question, sender = service.recvfrom(30)
        assert (question, sender[0]) == (b"anybody there?", str(client.address))
        service.sendto(b"yes", sender[:2], timeout=30)
        assert asking.recvfrom(30)[0] == b"yes"
        with pytest.raises(TimeoutError):
            asking.recvfrom(0.01)
    asking.close()
