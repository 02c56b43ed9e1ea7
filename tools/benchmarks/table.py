"""The table of two node programs beside each other, as the documentation shows it."""

from collections.abc import Mapping

ROWS = {
    **{
        f"TCP, {count} stream{'s' * (count > 1)}, MTU {mtu}":
            f"**{{tcp{count}_{mtu}_mib_s:,.0f}} MiB/s**, {{tcp{count}_{mtu}_cpu_s_per_gib:.1f}} CPU-s/GiB, "
            f"{{tcp{count}_{mtu}_retransmitted:,.0f}} sent again"
        for mtu in (65535, 1500) for count in (1, 8)
    },
    "TCP request and response": "**{rr_median_us:,.0f} µs** median, {rr_p99_us:,.0f} µs p99",
    "UDP, 64 bytes": "**{udp_pps:,.0f} packets/s**, {udp_cpu_us:.1f} µs CPU each",
    "HTTP, one connection": "**{http_rps:,.0f} requests/s**",
    "Most memory of a node": "**{memory_mib:,.0f} MiB**",
    "Start to first answer": "**{start_s:.2f} s**",
}
"""What a row is called, and how its cells are made of the figures."""


def markdown(ours: Mapping[str, float], theirs: Mapping[str, float], name: str) -> str:
    """Return the table; `name` is that of the other program."""
    lines = [f"| | ygg | {name} |", "|---|---|---|"]
    lines += [f"| {row} | {cell.format(**ours)} | {cell.format(**theirs)} |" for row, cell in ROWS.items()]
    return "\n".join(lines)
