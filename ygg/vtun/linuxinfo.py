"""The figures of a connection as the `struct tcp_info` of Linux, for programs that read `getsockopt(…, TCP_INFO, …)`.

The layout is that of linux/tcp.h (Linux 6.7), in which fields were only ever added at the end. Fields that are not
known here are zero.
"""

import struct
import sys

from ygg.vtun.tcpinfo import TcpInfo

LAYOUT = struct.Struct("=8B24I4Q6I4Q2I2Q6I2HI")
"""All fields in their order: `tcpi_state` to `tcpi_total_rto_time`. None is padded."""

STATES = {
    "ESTABLISHED": 1, "SYN-SENT": 2, "SYN-RECEIVED": 3, "FIN-WAIT-1": 4, "FIN-WAIT-2": 5, "TIME-WAIT": 6, "CLOSED": 7,
    "CLOSE-WAIT": 8, "LAST-ACK": 9, "LISTEN": 10, "CLOSING": 11,
}  # fmt: skip
"""Numbers of the states."""

_OPEN, _DISORDER, _RECOVERY, _LOSS = 0, 1, 3, 4
_TIMESTAMPS, _SACK, _WINDOW_SCALE, _ECN = 1, 2, 4, 8
_NO_THRESHOLD = 0x7FFFFFFF
_MOST = 0xFFFFFFFF


def pack(info: TcpInfo) -> bytes:
    """Return the struct for a connection. What it counts in segments are full ones, rounded up."""
    return LAYOUT.pack(*_first_bytes(info), *_words(info), *_totals(info))


def listening(backlog: int) -> bytes:
    """Return the struct for a listener, where `tcpi_sacked` is the backlog."""
    return struct.pack("=B27xI", STATES["LISTEN"], backlog).ljust(LAYOUT.size, b"\0")


def _first_bytes(info: TcpInfo) -> tuple[int, ...]:
    probes = info.unanswered if info.timer == "persist" else info.keepalive_probes
    options = (
        _TIMESTAMPS * info.timestamps | _SACK * info.sack | _ECN * info.ecn
        | _WINDOW_SCALE * bool(info.send_scale or info.receive_scale)
    )  # fmt: skip
    low, high = info.send_scale, info.receive_scale
    if sys.byteorder == "big":  # bit fields begin at the other end
        low, high = high, low
    limited = int(info.app_limited) << (7 if sys.byteorder == "big" else 0)
    return (
        STATES[info.state], _phase(info), min(info.unanswered, 255), min(probes, 255), min(info.backoff, 255), options,
        high << 4 | low, limited,
    )  # fmt: skip


def _phase(info: TcpInfo) -> int:
    if info.phase in ("recovery", "loss"):
        return _RECOVERY if info.phase == "recovery" else _LOSS
    return _DISORDER if info.sacked else _OPEN


def _words(info: TcpInfo) -> tuple[int, ...]:
    """Fields from `tcpi_rto` to `tcpi_total_retrans`."""
    threshold = _NO_THRESHOLD if info.ssthresh is None else max(_segments(info, info.ssthresh), 1)
    return (
        _microseconds(info.rto), 0, info.mss, info.receive_mss,
        _segments(info, info.in_flight), _segments(info, info.sacked), _segments(info, info.lost), 0, 0,
        _milliseconds(info.last_sent), 0, _milliseconds(info.last_received), _milliseconds(info.last_heard),
        info.path_mtu, min(info.receive_buffer, _MOST), _microseconds(info.rtt), _microseconds(info.rtt_var),
        threshold, max(_segments(info, info.cwnd), 1), 0, 0,
        _microseconds(info.receive_rtt), 0, info.retransmits & _MOST,
    )  # fmt: skip


def _totals(info: TcpInfo) -> tuple[int, ...]:
    """Fields from `tcpi_pacing_rate` on."""
    return (
        0, 0, info.bytes_acknowledged, info.bytes_in,
        info.segments_out & _MOST, info.segments_in & _MOST, min(info.unsent, _MOST), _microseconds(info.rtt_min), 0, 0,
        info.delivery_rate, 0, 0, 0,
        0, 0,
        info.bytes_out, max(info.bytes_out - info.bytes_sent, 0),
        0, 0, 0, min(info.send_window, _MOST), min(info.receive_window, _MOST), 0,
        min(info.timeouts, 0xFFFF), 0, 0,
    )  # fmt: skip


def _segments(info: TcpInfo, size: int) -> int:
    return min(-(-size // max(info.mss, 1)), _MOST)


def _microseconds(seconds: float) -> int:
    return min(round(seconds * 1e6), _MOST)


def _milliseconds(seconds: float | None) -> int:
    return 0 if seconds is None else min(round(seconds * 1e3), _MOST)
