class Reassembler:
    """Puts IPv6 fragments together (RFC 8200, 4.5) in bounded memory."""
