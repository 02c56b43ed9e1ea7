"""Addresses of interfaces by Linux's rtnetlink (linux/netlink.h, linux/if_addr.h), for what ioctl cannot say."""

from __future__ import annotations

import os
import socket
import struct
from ipaddress import IPv6Interface

_NLMSGHDR = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_IFADDRMSG = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, interface
_RTATTR = struct.Struct("=HH")  # length, type
_ERROR = struct.Struct("=i")  # of an answer: 0, or an errno with its sign changed
_NLMSG_ERROR = 2
_RTM_NEWADDR = 20
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_EXCL, _NLM_F_CREATE = 0x001, 0x004, 0x200, 0x400
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFA_F_NODAD = 0x02


def add_address(interface: int, address: IPv6Interface) -> None:
    """Give the interface of this number an address that may be used at once. Raises `OSError`.

    It is added without duplicate address detection (RFC 4862, section 5.4), before whose end the kernel binds no
    socket to an address.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        kernel.send(_new_address(interface, address))
        answer = kernel.recv(65536)
    _length, kind, *_ = _NLMSGHDR.unpack_from(answer)
    (code,) = _ERROR.unpack_from(answer, _NLMSGHDR.size)
    if kind == _NLMSG_ERROR and code:
        raise OSError(-code, os.strerror(-code))


def _new_address(interface: int, address: IPv6Interface) -> bytes:
    body = _IFADDRMSG.pack(socket.AF_INET6, address.network.prefixlen, _IFA_F_NODAD, 0, interface)
    for kind in (_IFA_LOCAL, _IFA_ADDRESS):
        body += _RTATTR.pack(_RTATTR.size + 16, kind) + address.ip.packed
    flags = _NLM_F_REQUEST | _NLM_F_ACK | _NLM_F_CREATE | _NLM_F_EXCL
    return _NLMSGHDR.pack(_NLMSGHDR.size + len(body), _RTM_NEWADDR, flags, 1, 0) + body
