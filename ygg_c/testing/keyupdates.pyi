from ygg_c.io.tls import Tls

def update_keys(tls: Tls) -> None:
    """Go on with new keys, and have the other side do so (RFC 8446, 4.6.3); what says it is for `take`. ValueError
    before the handshake is over.
    """
