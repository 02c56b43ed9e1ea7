"""Identities in all forms; one in a file is made once, whole, and for its owner alone."""

import concurrent.futures
import logging
import os
import stat
from pathlib import Path

import pytest

from ygg import Certificate, Config, PrivateKey
from ygg.embed.identity import certificate_of, config_of, load_or_make
from ygg.errors import ConfigError, KeyFormatError
from ygg.testing import private_key


def test_a_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    key = load_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make(str(path)) == key
    assert PrivateKey.from_pem(path.read_text()) == key
    assert os.listdir(tmp_path) == ["node.key"]


def test_programs_that_make_it_at_once_have_the_same_key(tmp_path: Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(load_or_make, [tmp_path / "node.key"] * 8))
    assert len(keys) == 1


@pytest.mark.parametrize("form", ["pem", "hex", "config"])
def test_files_of_all_forms_are_read(tmp_path: Path, form: str) -> None:
    path, key = tmp_path / "identity", private_key(3)
    if form == "config":
        Config(private_key=key).save(path)
    else:
        path.write_text(key.pem() if form == "pem" else key.hex() + "\n")
        path.chmod(0o600)
    assert load_or_make(path) == key
    assert certificate_of(path).public_key == key.public_key
    assert (config_of(path) is not None) == (form == "config")


@pytest.mark.parametrize("content", ["", "nonsense", "-----BEGIN CERTIFICATE-----", "{ Peers: [] }", "ab" * 63])
def test_a_file_that_holds_no_identity_is_refused_and_stays(tmp_path: Path, content: str) -> None:
    path = tmp_path / "identity"
    path.write_text(content)
    with pytest.raises(ConfigError, match="identity") as caught:
        load_or_make(path)
    assert content == "" or content not in str(caught.value) or len(content) < 10
    assert path.read_text() == content


def test_a_place_where_nothing_can_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot make the identity"):
        load_or_make(tmp_path / "missing" / "node.key")
    with pytest.raises(ConfigError, match="cannot read the identity"):
        load_or_make(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="leads nowhere"):
        load_or_make(tmp_path / "link")


def test_a_file_that_others_can_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "node.key"
    load_or_make(path)
    with caplog.at_level(logging.WARNING, "ygg.embed"):
        load_or_make(path)
        assert caplog.text == ""
        path.chmod(0o644)
        load_or_make(path)
    assert "chmod 600" in caplog.text


def test_objects_are_taken_as_they_are() -> None:
    key = private_key(1)
    certificate = Certificate(key)
    config = Config(private_key=key)
    assert certificate_of(certificate) is certificate
    assert {certificate_of(one).public_key for one in (key, certificate, config)} == {key.public_key}
    assert certificate_of(None).public_key != certificate_of(None).public_key
    assert [config_of(one) for one in (key, certificate, config, None)] == [None, None, config, None]


def test_a_secret_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "identity"
    path.write_text(private_key(1).hex()[:-2])
    with pytest.raises(KeyFormatError) as caught:
        load_or_make(path)
    assert private_key(1).hex()[:8] not in str(caught.value)
