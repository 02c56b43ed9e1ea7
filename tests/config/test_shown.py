"""A configuration as it may be shown."""

import json

from ygg import Config
from ygg.config.config import MulticastInterface
from ygg.config.shown import shown
from ygg.testing import private_key


def test_nothing_secret_is_shown() -> None:
    config = Config(
        private_key=private_key(1), peers=["tls://user:hunter2@h:1?password=hunter2&priority=3", "hunter2"],
        interface_peers={"eth0": ["tcp://h:1?password=hunter2"]}, listen=["tls://[::]:0?password=hunter2"],
        admin_listen="tcp://localhost:9001?token=hunter2", group_password="hunter2",
        multicast_interfaces=[MulticastInterface("eth.*", True, True, password="hunter2")], node_info={"name": "n"},
    )  # fmt: skip
    members = shown(config)
    text = json.dumps(members)
    assert "hunter2" not in text
    assert config.private_key.hex()[:64] not in text
    assert members["Peers"] == ["tls://user:xxxxx@h:1?password=xxxxx&priority=3", "no URI"]
    assert members["AdminListen"] == "tcp://localhost:9001"
    assert members["MulticastInterfaces"] == [{"Regex": "eth.*", "Beacon": True, "Listen": True}]
    assert members["NodeInfo"] == {"name": "n"}
