from ygg_c.base.sodium import Random
from ygg_c.session.living import LivingSessions

class SessionTable(LivingSessions):
    """All sessions of one identity (protocol 0.5, section 7)."""

    def __init__(self, secret: bytes, group_password: bytes = b"", random: Random | None = None) -> None: ...
