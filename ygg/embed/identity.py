"""An identity in whatever form a program has it; one in a file is made there when there is none."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from pathlib import Path
from typing import TypeAlias

from ygg import wholefile
from ygg.config.config import Config
from ygg.errors import ConfigError, KeyFormatError
from ygg.identity.certificate import Certificate
from ygg.identity.keys import PrivateKey

Identity: TypeAlias = str | os.PathLike[str] | PrivateKey | Certificate | Config | None
"""The path of a file, a key, a certificate, a configuration, or None for an identity made for this run."""

MOST = 1 << 20
"""Bytes of a file that are read: a key has a few hundred, a configuration a few thousand."""

log = logging.getLogger("ygg.embed")


def config_of(identity: Identity) -> Config | None:
    """Return the configuration that `identity` is, or that a file of it holds; None where it is an identity alone.

    Raises `ConfigError`.
    """
    if isinstance(identity, Config):
        return identity
    if not isinstance(identity, str | os.PathLike):
        return None
    content = _read(Path(identity))
    return None if content is None or _is_key(content) else Config.load(identity, need_identity=True)


def certificate_of(identity: Identity) -> Certificate:
    """Return the certificate of `identity`; a file that is not there is made. Raises `ConfigError`."""
    if isinstance(identity, Certificate):
        return identity
    if isinstance(identity, Config):
        return identity.certificate
    if isinstance(identity, PrivateKey):
        return Certificate(identity)
    return Certificate(PrivateKey.generate() if identity is None else load_or_make(identity))


def load_or_make(path: str | os.PathLike[str]) -> PrivateKey:
    """Return the key in a file: PEM, 128 hex digits, or a configuration with a key; a new one where there is no file.

    A new key is written as PEM, whole or not at all, readable by its owner alone (mode 0600). Of two programs that make
    it at once one is first, and both have the same key. A file that others can read is loaded, and a warning logged.
    Raises `ConfigError`, also for a folder that is not there and a file that cannot be read or written.
    """
    file = Path(path)
    content = _read(file)
    if content is None:
        key = PrivateKey.generate()
        try:
            wholefile.create(file, key.pem().encode())
        except FileExistsError:
            content = _read(file)
            if content is None:
                raise ConfigError(f"{file} leads nowhere, or comes and goes") from None
        except OSError as error:
            raise ConfigError(f"cannot make the identity {file}: {error.strerror}") from error
        else:
            log.info("A new identity was made in %s", file)
            return key
    _warn_of_readers(file)
    try:
        return _parse(content) if _is_key(content) else Config.load(file, need_identity=True).certificate.private_key
    except KeyFormatError as error:
        raise KeyFormatError(f"{file}: {error}") from None


def _read(file: Path) -> bytes | None:
    """Return what a file holds, None where there is none."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot read the identity {file}: {error.strerror}") from error
    if len(content) > MOST:
        raise ConfigError(f"{file} is larger than {MOST} bytes: it is no identity")
    return content


def _is_key(content: bytes) -> bool:
    """Tell whether this is a key by itself and no configuration, which is in braces or has members by name."""
    return b"-----BEGIN" in content or b":" not in content


def _parse(content: bytes) -> PrivateKey:
    if b"-----BEGIN" in content:
        return PrivateKey.from_pem(content)
    return PrivateKey.from_hex(content.decode("latin-1").strip())


def _warn_of_readers(file: Path) -> None:
    with contextlib.suppress(OSError):
        if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & (stat.S_IRGRP | stat.S_IROTH):
            log.warning("%s holds a secret, and others than its owner can read it: chmod 600 %s", file, file)
