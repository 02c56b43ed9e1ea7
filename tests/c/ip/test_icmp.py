"""ICMPv6: echo both ways, errors about what arrives, errors that arrive."""

import struct

from tests.c.stackkit import SECOND, A, B, ipv6_header
from ygg_c.base.checksum import checksum


def test_unknown_next_header_is_a_parameter_problem(stack_tap):
    _, tap = stack_tap
    tap.give([ipv6_header(B, A, 200, 8) + bytes(8)], SECOND)
    (error,) = tap.take()
    assert (error[40], error[41], struct.unpack(">I", error[44:48])[0]) == (4, 1, 6)
    body = error[40:]
    assert checksum(error[8:40] + struct.pack(">II", len(body), 58) + body) == 0


def test_no_error_about_an_error(stack_tap):
    _, tap = stack_tap
    destination_option = bytes([58, 0, 0x80, 4, 0, 0, 0, 0])
    tap.give([ipv6_header(B, A, 60, 16) + destination_option + bytes([1, 0, 0, 0, 0, 0, 0, 0])], SECOND)
    assert tap.take() == []
