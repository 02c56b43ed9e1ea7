"""The configuration, in the stock daemon's file format: a `yggdrasil -genconf` file is read as it is."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

from ygg import wholefile
from ygg.config import defaults
from ygg.config.document import Members, parse_document
from ygg.errors import ConfigError, KeyFormatError
from ygg.identity.certificate import Certificate
from ygg.identity.keys import PrivateKey, parse_public_key
from ygg.strings import check_strings

log = logging.getLogger("ygg.config")


@dataclass
class MulticastInterface:
    """One rule of `MulticastInterfaces`: which interfaces take part in discovery, and how."""

    regex: str = ""
    """Names of interfaces this rule is for."""
    beacon: bool = False
    """Whether this node announces itself there."""
    listen: bool = False
    """Whether it connects to the nodes that announce themselves there."""
    port: int = 0
    """TCP port of the listener; 0 lets the system choose."""
    priority: int = 0
    """Priority of the links, 0 to 255; lower is preferred."""
    password: str = field(default="", repr=False)
    """Only nodes with the same password find each other."""


def _default_multicast() -> list[MulticastInterface]:
    return [MulticastInterface(*rule) for rule in defaults.multicast_rules()]


def _default_rules() -> Iterator[MulticastInterface]:
    """Yield what each rule of a file is where it is silent: in the daemon, the default rule in its place."""
    return chain(_default_multicast(), repeat(MulticastInterface()))


@dataclass(repr=False)
class Config:
    """Everything a node can be told in its configuration file.

    Attributes carry the file's member names in snake case; the file form is made by `to_hjson` and `to_json`. The
    `repr` names the public key and nothing else, for peers' URIs hold passwords too.
    """

    private_key: PrivateKey = field(default_factory=PrivateKey.generate)
    """The identity. A file without one gets a new identity each time it is loaded."""
    private_key_path: str = ""
    """A PEM file that holds the identity instead."""
    peers: list[str] = field(default_factory=list)
    """URIs of the peers to stay connected to."""
    interface_peers: dict[str, list[str]] = field(default_factory=dict)
    """The same, by the name of the interface they are reached from."""
    listen: list[str] = field(default_factory=list)
    """URIs to accept peers on."""
    admin_listen: str | None = None
    """URI of the admin socket; `none` or empty is off, None is the platform's default."""
    multicast_interfaces: list[MulticastInterface] = field(default_factory=_default_multicast)
    """Rules of discovery in the local network; an empty list turns it off."""
    allowed_public_keys: list[bytes] = field(default_factory=list)
    """Keys (32 bytes each) that may connect to our listeners; empty allows all."""
    group_password: str = ""
    """Sessions work only between nodes with the same one."""
    if_name: str = field(default_factory=defaults.interface_name)
    """Name of the TUN interface; `auto` picks one, `none` makes none."""
    if_mtu: int = field(default_factory=defaults.interface_mtu)
    """MTU of the TUN interface in bytes; 1280 to 65535 once in use."""
    log_lookups: bool = False
    """Whether the admin socket can list lookups."""
    node_info_privacy: bool = False
    """Whether to keep build name, version and platform out of NodeInfo."""
    node_info: dict[str, Any] | None = None
    """What the node tells others about itself: any JSON object up to 16384 bytes."""

    @classmethod
    def generate(cls) -> Config:
        """Make a configuration with a new identity and the platform's defaults."""
        return cls()

    @classmethod
    def parse(cls, text: str | bytes, *, need_identity: bool = False) -> Config:
        """Read a configuration from HJSON or JSON (UTF-8, or UTF-16 with a byte order mark).

        Member names are matched without regard to case, the last of several counts; unknown members are ignored, and
        logged with the nearest known name. Without PrivateKey and PrivateKeyPath the identity is a new one, or with
        `need_identity` an error. Raises `ConfigError`; its text never quotes a value.
        """
        document = parse_document(text)
        _tell_of_unknown(document)
        members = Members(document, "")
        path = members.text_unless_null("PrivateKeyPath") or ""
        digits = members.text_unless_null("PrivateKey")
        if need_identity and not path and digits is None:
            raise ConfigError(_NO_IDENTITY)
        config = cls(
            private_key=_private_key(path, digits),
            private_key_path=path,
            peers=members.texts("Peers"),
            interface_peers={name: uris for name, uris in members.text_lists("InterfacePeers").items() if uris},
            listen=members.texts("Listen"),
            admin_listen=members.text("AdminListen", None),
            allowed_public_keys=_public_keys(members.texts("AllowedPublicKeys")),
            group_password=members.text("GroupPassword", ""),
            if_name=members.text("IfName", defaults.interface_name()),
            if_mtu=members.integer("IfMTU", defaults.interface_mtu(), 2**32),
            log_lookups=members.flag("LogLookups"),
            node_info_privacy=members.flag("NodeInfoPrivacy"),
            node_info=members.json_object("NodeInfo"),
        )
        rules = members.objects("MulticastInterfaces", _OLD_RULES)
        if rules is not None:
            config.multicast_interfaces = [*map(_multicast_interface, rules, _default_rules())]
        return config

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, need_identity: bool = False) -> Config:
        """Read a configuration file, as `parse` does. Raises `ConfigError`, for a file that cannot be read too."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise ConfigError(f"cannot read the configuration {os.fspath(path)}: {error.strerror}") from error
        try:
            return cls.parse(content, need_identity=need_identity)
        except ConfigError as error:
            raise ConfigError(f"{os.fspath(path)}: {error}") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the configuration: JSON where the name ends in `.json`, else commented HJSON.

        The file is replaced in one step and only its owner can read it (mode 0600). Raises `ConfigError`.
        """
        text = self.to_json() if os.fspath(path).endswith(".json") else self.to_hjson()
        try:
            wholefile.replace(Path(path), text.encode())
        except OSError as error:
            raise ConfigError(f"cannot write the configuration {os.fspath(path)}: {error.strerror}") from error

    @cached_property
    def certificate(self) -> Certificate:
        """The identity with the certificate its TLS links show."""
        return Certificate(self.private_key)

    def members(self) -> dict[str, Any]:
        """Return the configuration under the file's member names, as JSON values. It holds secrets.

        An AdminListen of None is left out, so that the platform's default stays in force where the file is read.
        Raises `ConfigError` for strings that no file can hold.
        """
        members = self._members()
        for name, value in members.items():
            check_strings(value, name)
        return members

    def _members(self) -> dict[str, Any]:
        identity = {"PrivateKeyPath": self.private_key_path} if self.private_key_path else {}
        members: dict[str, Any] = identity or {"PrivateKey": self.private_key.hex()}
        members |= {"Peers": self.peers, "InterfacePeers": self.interface_peers, "Listen": self.listen}
        if self.admin_listen is not None:
            members["AdminListen"] = self.admin_listen
        members["MulticastInterfaces"] = [_multicast_members(rule) for rule in self.multicast_interfaces]
        members["AllowedPublicKeys"] = [key.hex() for key in self.allowed_public_keys]
        members |= {"GroupPassword": self.group_password, "IfName": self.if_name, "IfMTU": self.if_mtu}
        if self.log_lookups:
            members["LogLookups"] = True
        return members | {"NodeInfoPrivacy": self.node_info_privacy, "NodeInfo": self.node_info}

    def to_json(self) -> str:
        """Return the file form as JSON. It holds secrets."""
        return json.dumps(self.members(), indent=2, ensure_ascii=False) + "\n"

    def to_hjson(self) -> str:
        """Return the file form as HJSON with a comment on each member. It holds secrets."""
        lines = ["{"]
        for name, value in self.members().items():
            lines += [f"  # {line}" for line in _COMMENTS[name]]
            lines += [f"  {name}: " + json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n  "), ""]
        lines[-1] = "}"
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        return f"<Config of {self.private_key.public_key.hex()}>"


def _private_key(path: str, digits: str | None) -> PrivateKey:
    try:
        if path:
            return PrivateKey.from_pem(Path(path).read_bytes())
        return PrivateKey.generate() if digits is None else PrivateKey.from_hex(digits)
    except OSError as error:
        raise ConfigError(f"PrivateKeyPath: cannot read {path}: {error.strerror}") from error
    except KeyFormatError as error:
        raise ConfigError(f"{'PrivateKeyPath' if path else 'PrivateKey'}: {error}") from error


def _tell_of_unknown(document: dict[str, Any]) -> None:
    if unknown := dict.fromkeys(islice(_all_unknown(document), 10)):
        log.warning("Unknown members of the configuration are ignored: %s", ", ".join(unknown))


def _all_unknown(document: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(document, tuple(_COMMENTS), "")
    for name, rules in document.items():
        if name.lower() == "multicastinterfaces" and isinstance(rules, list):
            for rule in rules:
                yield from _unknown(rule, _RULE, f"{name}.") if isinstance(rule, dict) else ()


def _unknown(members: dict[str, Any], known: tuple[str, ...], prefix: str) -> Iterator[str]:
    """Yield what to tell of each member that is not known, with the nearest known name."""
    spelled = {name.lower(): name for name in known}
    for name in members:
        if name.lower() in spelled:
            continue
        # A name may be anything, a secret in the wrong place too: only what looks like a name is shown.
        shown = prefix + (name if name.isidentifier() and name.isascii() and len(name) <= 32 else "…")
        near = get_close_matches(name.lower()[:32], spelled, n=1, cutoff=0.7)
        yield f"{shown} (did you mean {spelled[near[0]]}?)" if near else shown


def _public_keys(texts: list[str]) -> list[bytes]:
    try:
        return [parse_public_key(text) for text in texts]
    except KeyFormatError as error:
        raise ConfigError(f"AllowedPublicKeys: {error}") from error


def _multicast_interface(members: Members, default: MulticastInterface) -> MulticastInterface:
    return MulticastInterface(
        regex=members.text("Regex", default.regex),
        beacon=members.flag("Beacon", default.beacon),
        listen=members.flag("Listen", default.listen),
        port=members.integer("Port", 0, 65535),
        priority=members.integer("Priority", 0, 255),
        password=members.text("Password", ""),
    )


def _multicast_members(rule: MulticastInterface) -> dict[str, Any]:
    members: dict[str, Any] = {"Regex": rule.regex, "Beacon": rule.beacon, "Listen": rule.listen}
    if rule.port:
        members["Port"] = rule.port
    if rule.priority:
        members["Priority"] = rule.priority
    return members | {"Password": rule.password}


_NO_IDENTITY = (
    "there is no PrivateKey and no PrivateKeyPath: put in the PrivateKey of a file that `ygg genconf` makes, or ask "
    "for an identity that lasts as long as the run (--new-identity)"
)
_OLD_RULES = '; names alone are of versions before 0.4: for each write { Regex: "eth0", Beacon: true, Listen: true }'

_RULE = ("Regex", "Beacon", "Listen", "Port", "Priority", "Password")
"""The members of a rule of MulticastInterfaces."""

_COMMENTS = {
    "PrivateKey": ["The identity of this node. Who has it can be this node: keep it secret."],
    "PrivateKeyPath": ["A PEM file that holds the identity of this node."],
    "Peers": [
        "Peers to stay connected to, as URIs: tls://a.b.c.d:e, tcp://[x:y::z]:e, …",
        "Options follow a question mark: key=, priority=, password=, maxbackoff=, sni=",
    ],
    "InterfacePeers": ['Peers that are reached from one interface: { "eth0": [ "tls://a.b.c.d:e" ] }'],
    "Listen": ["Where to accept peers, as URIs: tls://0.0.0.0:0, tls://[::]:0"],
    "AdminListen": ["Where to accept admin connections: unix:///path, tcp://host:port, or none."],
    "MulticastInterfaces": [
        "Interfaces on which to find peers in the local network: Regex is matched against their",
        "names, Beacon announces this node, Listen connects to those that announce themselves.",
    ],
    "AllowedPublicKeys": [
        "Keys that may connect to the listeners, in hex; empty allows all. Peers that",
        "discovery found, and those listed above, are always welcome.",
    ],
    "GroupPassword": ["Traffic is exchanged only with nodes that have the same group password."],
    "IfName": ["Name of the TUN interface; auto lets the system choose, none makes no interface."],
    "IfMTU": ["Largest packet of the TUN interface in bytes, 1280 to 65535."],
    "LogLookups": ["Keep a list of lookups for the admin socket."],
    "NodeInfoPrivacy": ["Leave platform, architecture and version out of NodeInfo."],
    "NodeInfo": ["What this node tells others about itself, as an object; null is nothing."],
}
