"""One picture of one connection: sequence numbers, what is in flight, round trips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plotting.capture import Connection, Way
from plotting.trace import Trace

matplotlib.use("agg")
KIB, MS = 1 / 1024, 1e-6
UNLIMITED = 1 << 60     # a threshold that was never set


def picture(connection: Connection | None, trace: Trace | None, sender: int) -> Figure:
    """Return the picture of a connection out of a capture, of one out of a trace, or of both on one axis of time.

    `sender` tells whose data is shown: that of end 0 or 1 of the capture.
    """
    figure = Figure(figsize=(11, 9), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    start = _start(connection, trace)
    if connection is not None:
        _sequence(top, connection.ways[sender], start)
        _flight(middle, connection.ways[sender], start)
        _round_trips(bottom, connection.ways[sender], start)
    if trace is not None:
        _windows(middle, trace, start)
        _estimates(bottom, trace, start)
    seen = connection or trace
    if seen is not None:
        source, target = seen.ends[::-1] if sender else seen.ends
        figure.suptitle(f"[{source[0]}]:{source[1]} → [{target[0]}]:{target[1]}")
    top.set_ylabel("sequence, KiB")
    middle.set_ylabel("KiB")
    bottom.set_ylabel("ms")
    bottom.set_xlabel("seconds")
    for axes in (top, middle, bottom):
        axes.grid(visible=True, alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper left", fontsize="small")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a picture in the format of the path's suffix."""
    figure.savefig(path)


def _start(connection: Connection | None, trace: Trace | None) -> float:
    times = [segment[0] for way in connection.ways for segment in way.segments[:1]] if connection else []
    times += [sample["time"] for sample in trace.samples[:1]] if trace else []
    return min(times, default=0.0)


def _sequence(axes: Axes, way: Way, start: float) -> None:
    for again, colour, label in ((False, "tab:blue", "sent"), (True, "tab:red", "sent again")):
        chosen = [segment for segment in way.segments if segment[3] == again]
        if chosen:
            axes.vlines([when - start for when, *_ in chosen], [low * KIB for _, low, _, _ in chosen],
                        [high * KIB for _, _, high, _ in chosen], colors=colour, label=label, linewidth=2)
    _steps(axes, way.acknowledged, start, KIB, "acknowledged", "tab:green")
    _steps(axes, way.windows, start, KIB, "window", "tab:gray")
    if way.sacked:
        axes.vlines([when - start for when, *_ in way.sacked], [low * KIB for _, low, _ in way.sacked],
                    [high * KIB for _, _, high in way.sacked], colors="tab:purple", label="SACK", linewidth=1)


def _flight(axes: Axes, way: Way, start: float) -> None:
    _steps(axes, way.flights, start, KIB, "in flight (capture)", "tab:blue")


def _round_trips(axes: Axes, way: Way, start: float) -> None:
    if way.round_trips:
        axes.plot([when - start for when, _ in way.round_trips], [took * 1000 for _, took in way.round_trips],
                  ".", markersize=3, label="round trip (capture)", color="tab:blue")


def _windows(axes: Axes, trace: Trace, start: float) -> None:
    for name, colour in (("cwnd", "tab:red"), ("ssthresh", "tab:orange"), ("in_flight", "tab:cyan"),
                         ("send_window", "tab:gray")):
        times, values = trace.series(name)
        points = [(when, value) for when, value in zip(times, values, strict=True) if value < UNLIMITED]
        _steps(axes, points, start, KIB, name, colour)


def _estimates(axes: Axes, trace: Trace, start: float) -> None:
    for name, colour in (("rtt", "tab:red"), ("rtt_min", "tab:gray"), ("rto", "tab:orange")):
        times, values = trace.series(name, MS)
        _steps(axes, list(zip(times, values, strict=True)), start, 1.0, name, colour)
    times, counts = trace.series("retransmits")
    again = [when - start for when, before, after in zip(times[1:], counts, counts[1:], strict=False) if after > before]
    for number, when in enumerate(again):
        axes.axvline(when, color="tab:red", alpha=0.2, label="sent again" if number == 0 else None)


def _steps(
    axes: Axes, points: Sequence[tuple[float, float]], start: float, scale: float, label: str, colour: str
) -> None:
    if points:
        axes.step([when - start for when, _ in points], [value * scale for _, value in points],
                  where="post", label=label, color=colour, linewidth=1)
