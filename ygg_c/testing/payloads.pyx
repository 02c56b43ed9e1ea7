"""Payloads of any kind from a node, as no node of ours would send them."""

from cpython.bytes cimport PyBytes_AsString
from libc.stdint cimport uint8_t

from ygg_c.base.forks cimport check_fork
from ygg_c.node.node cimport Node


def send_payload(Node node not None, bytes key not None, bytes payload not None):
    """Send one session payload, its type byte included, to a 32-byte key."""
    check_fork(node.made_in)
    if len(key) != 32:
        raise ValueError(f"key must be 32 bytes, not {len(key)}")
    node.send_bytes(<const uint8_t *>PyBytes_AsString(key), payload)
    node.want_turn()
