from typing_extensions import Buffer

def checksum(data: Buffer) -> int:
    """Return the Internet checksum (RFC 1071) of `data`: the ones' complement of the ones' complement sum, 0 to 65535."""
