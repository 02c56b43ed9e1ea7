"""Key updates asked for by hand."""

import pytest

from tests.tlssides import CLIENT, carry, plain_text, shaken
from ygg_c.io.tls import Tls
from ygg_c.testing.keyupdates import update_keys


def test_both_sides_go_on() -> None:
    """The update is a record of its own, which the other side answers with one as it writes."""
    client, server = shaken()
    assert client.take() == b""
    update_keys(client)
    server.feed(client.take())
    assert plain_text(server) == b""
    server.encrypt(b"under new keys")
    carry(client, server)
    assert plain_text(client) == b"under new keys"


def test_there_must_be_keys_first() -> None:
    with pytest.raises(ValueError, match="handshake"):
        update_keys(Tls(CLIENT))
