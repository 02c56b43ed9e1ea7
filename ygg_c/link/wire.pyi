from collections.abc import Sequence
from typing import Any

from typing_extensions import Buffer

def encode_uv(value: int) -> bytes:
    """Return an integer of at most 64 bits as a varint in its shortest form."""

def decode_uv(data: Buffer, offset: int = 0) -> tuple[int, int]:
    """Return the varint at `offset` and the offset after it; ValueError when it is cut off or exceeds 64 bits."""

def encode_path(ports: Sequence[int]) -> bytes:
    """Return ports, none zero, as a path with its closing zero byte; ValueError for more than 1024."""

def decode_path(data: Buffer) -> list[int]:
    """Return the ports of a path that fills `data`; ValueError otherwise."""

def encode_frame(kind: int, body: bytes) -> bytes:
    """Return a message with its frame header; ValueError when it exceeds 131070 bytes."""

def encode_tree_bytes(node: bytes, parent: bytes, seq: int, nonce: int, port: int) -> bytes:
    """Return what a parent and a node sign in a tree record."""

def decode(kind: int, body: Buffer) -> dict[str, Any]:
    """Return the fields of a message body: keys and signatures as bytes, paths as lists of ports, the rest as integers.

    Raises ValueError with the bare name of the error ("ErrDecode", "ErrUnrecognizedMessage") when it does not decode.
    Messages: protocol 0.5, framing and message types.
    """

def encode(kind: int, **fields: Any) -> bytes:
    """Return the body of a message from the fields that decode() gives."""
