"""Interfaces, their addresses and routes by Linux's rtnetlink (linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h)."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from ipaddress import IPv6Interface

_NLMSGHDR = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_IFINFOMSG = struct.Struct("=BBHiII")  # family, padding, type, interface, flags, which of them change
_IFADDRMSG = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, interface
_RTMSG = struct.Struct("=BBBBBBBBI")  # family, lengths of target and source, service, table, origin, scope, type, flags
_RTATTR = struct.Struct("=HH")  # length, type
_ERROR = struct.Struct("=i")  # of an answer: 0, or an errno with its sign changed
_NLMSG_ERROR = 2
_RTM_SETLINK, _RTM_NEWADDR, _RTM_NEWROUTE = 19, 20, 24
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_REPLACE, _NLM_F_CREATE = 0x001, 0x004, 0x100, 0x400
_IFF_UP = 0x1
_IFLA_MTU, _IFLA_TXQLEN = 4, 13
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFA_F_NODAD = 0x02
_RTA_DST, _RTA_OIF = 1, 4
_RT_TABLE_LOCAL, _RTPROT_STATIC, _RT_SCOPE_HOST, _RTN_LOCAL = 255, 4, 254, 2


def bring_up(interface: int, mtu: int, queue: int) -> None:
    """Bring up the interface of this number, with an MTU in bytes and a queue in packets. Raises `OSError`."""
    body = _IFINFOMSG.pack(socket.AF_UNSPEC, 0, 0, interface, _IFF_UP, _IFF_UP)
    body += _attribute(_IFLA_MTU, struct.pack("=I", mtu)) + _attribute(_IFLA_TXQLEN, struct.pack("=I", queue))
    _ask(_RTM_SETLINK, 0, body)


def add_address(interface: int, address: IPv6Interface) -> None:
    """Give an interface, by its number, which is up, an address that may be used at once. Raises `OSError`.

    It is added without duplicate address detection (RFC 4862, section 5.4), before whose end the kernel binds no
    socket to an address. The route by which the kernel takes what arrives for it the kernel makes some time later, and
    drops what comes until then: so there is one of ours. An interface that was there may have the address already.
    """
    body = _IFADDRMSG.pack(socket.AF_INET6, address.network.prefixlen, _IFA_F_NODAD, 0, interface)
    body += _attribute(_IFA_LOCAL, address.ip.packed) + _attribute(_IFA_ADDRESS, address.ip.packed)
    _ask(_RTM_NEWADDR, _NLM_F_CREATE | _NLM_F_REPLACE, body)
    body = _RTMSG.pack(socket.AF_INET6, 128, 0, 0, _RT_TABLE_LOCAL, _RTPROT_STATIC, _RT_SCOPE_HOST, _RTN_LOCAL, 0)
    body += _attribute(_RTA_DST, address.ip.packed) + _attribute(_RTA_OIF, struct.pack("=I", interface))
    with contextlib.suppress(FileExistsError):
        _ask(_RTM_NEWROUTE, _NLM_F_CREATE, body)


def _attribute(kind: int, value: bytes) -> bytes:
    """Return a route attribute; lengths that are no multiple of four would need padding, and there are none here."""
    return _RTATTR.pack(_RTATTR.size + len(value), kind) + value


def _ask(kind: int, flags: int, body: bytes) -> None:
    header = _NLMSGHDR.pack(_NLMSGHDR.size + len(body), kind, _NLM_F_REQUEST | _NLM_F_ACK | flags, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        kernel.send(header + body)
        answer = kernel.recv(65536)
    _length, answered, *_ = _NLMSGHDR.unpack_from(answer)
    (code,) = _ERROR.unpack_from(answer, _NLMSGHDR.size)
    if answered == _NLMSG_ERROR and code:
        raise OSError(-code, os.strerror(-code))
