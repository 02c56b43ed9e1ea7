"""Which addresses are the overlay's. It stands alone so that rooms which only ask that load no cryptography."""

from __future__ import annotations

from ipaddress import IPv6Network

OVERLAY = IPv6Network("200::/7")
"""Every address of the overlay: nodes in 200::/8, routed subnets in 300::/8."""
