"""Whatever a configuration file holds, reading it gives a Config or a ConfigError; what is written is read back."""

from hypothesis import given
from hypothesis import strategies as st

from ygg.config.config import Config, MulticastInterface
from ygg.errors import ConfigError
from ygg.identity.keys import PrivateKey

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
configs = st.builds(
    Config,
    private_key=st.binary(min_size=32, max_size=32).map(PrivateKey.from_seed),
    peers=st.lists(texts, max_size=3),
    interface_peers=st.dictionaries(texts, st.lists(texts, min_size=1, max_size=3), max_size=3),
    listen=st.lists(texts, max_size=3),
    admin_listen=st.none() | texts,
    multicast_interfaces=st.lists(
        st.builds(
            MulticastInterface,
            regex=texts,
            beacon=st.booleans(),
            listen=st.booleans(),
            port=st.integers(0, 65535),
            priority=st.integers(0, 255),
            password=texts,
        ),
        max_size=3,
    ),
    allowed_public_keys=st.lists(st.binary(min_size=32, max_size=32), max_size=3),
    group_password=texts,
    if_name=texts,
    if_mtu=st.integers(0, 65535),
    log_lookups=st.booleans(),
    node_info_privacy=st.booleans(),
    node_info=st.none() | st.dictionaries(texts, json_values, max_size=4),
)


def parse(content: str | bytes) -> None:
    try:
        Config.parse(content)
    except ConfigError:
        pass


@given(st.binary(max_size=300))
def test_arbitrary_bytes(content: bytes) -> None:
    parse(content)


@given(st.text("{}[]:,\"'#/* \n\\abPeers0123456789eE+-.null", max_size=100))
def test_arbitrary_punctuation(text: str) -> None:
    parse(text)


@given(configs, st.integers(0, 2000), st.integers(0, 20), st.binary(max_size=20))
def test_mutated_files(config: Config, place: int, length: int, patch: bytes) -> None:
    content = config.to_hjson().encode()
    parse(content[:place] + patch + content[place + length :])


@given(configs)
def test_both_forms_return(config: Config) -> None:
    assert Config.parse(config.to_json()) == config
    assert Config.parse(config.to_hjson()) == config
