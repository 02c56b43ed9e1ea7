"""Congestion control: an interface and the algorithms behind it.

It takes what was sent, acknowledged, marked and lost, with times; it gives a window in bytes. It knows no segment and
no connection. The room tcp uses it.
"""
