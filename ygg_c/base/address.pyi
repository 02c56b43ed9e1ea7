def address_for_key(key: bytes) -> bytes:
    """Return the 16-byte address (inside 200::/7) of a 32-byte public key (protocol 0.5, section 1.2).

    Raises ValueError when the key does not have 32 bytes.
    """

def subnet_for_key(key: bytes) -> bytes:
    """Return the 8-byte prefix of the /64 (inside 300::/8) routed to a 32-byte public key (protocol 0.5, section
    1.2).
    """

def partial_key_for_address(address: bytes) -> bytes:
    """Return the 32-byte key whose leading bits a 16-byte address tells, the others one (protocol 0.5, section 1.3).

    For a subnet, pad its 8 bytes with 8 zero bytes.
    """

def lookup_key_for_key(key: bytes) -> bytes:
    """Return the 32-byte form under which a public key is looked up: equal for all keys of one subnet (section 1.4)."""
