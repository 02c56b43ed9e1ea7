"""Who a node is: its key, the certificate that holds it, and the address and subnet that follow from it.

Values only: no event loop, no file but the key's own. All rooms above may use it.
"""
