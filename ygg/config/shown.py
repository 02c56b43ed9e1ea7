"""A configuration as it may be shown: without what is secret."""

from __future__ import annotations

from typing import Any

from ygg.config.config import Config
from ygg.errors import URLError
from ygg.url import PeerURL

SECRET = ("PrivateKey", "GroupPassword")
"""Members that are left out."""


def shown(config: Config) -> dict[str, Any]:
    """Return a configuration under the file's member names, as JSON values.

    The private key and the passwords of groups and rules are left out, those of URIs are `xxxxx`, and the token of the
    admin socket is left out too.
    """
    members = {name: value for name, value in config.members().items() if name not in SECRET}
    for name in ("Peers", "Listen"):
        members[name] = [_uri(text) for text in members[name]]
    peers = members["InterfacePeers"]
    members["InterfacePeers"] = {name: [_uri(text) for text in uris] for name, uris in peers.items()}
    members["MulticastInterfaces"] = [
        {name: value for name, value in rule.items() if name != "Password"} for rule in members["MulticastInterfaces"]
    ]
    if "AdminListen" in members:
        members["AdminListen"] = members["AdminListen"].partition("?")[0]
    return members


def _uri(text: str) -> str:
    try:
        return PeerURL.parse(text).redacted()
    except URLError:
        return "no URI"  # it may hold anything
