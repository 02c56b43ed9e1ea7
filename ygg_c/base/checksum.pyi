from typing_extensions import Buffer

def checksum(data: Buffer) -> int:
    """Return the Internet checksum (RFC 1071) of `data`, 0 to 65535: the complement of the ones' complement sum."""
