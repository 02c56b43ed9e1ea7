from ygg_c.base.sodium import Random
from ygg_c.session.known import KnownSessions

class LivingSessions(KnownSessions):
    """The sessions of one identity, and what keeps them alive."""

    def __init__(self, secret: bytes, group_password: bytes = b"", random: Random | None = None) -> None: ...
