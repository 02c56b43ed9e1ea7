"""What all sockets of a stack have in common: ends, events, their shares of a link, what each remote node may take.

It takes the calls that are the same for TCP and UDP, and gives events in batches. It knows neither protocol. The
rooms tcp and stack use it.
"""
