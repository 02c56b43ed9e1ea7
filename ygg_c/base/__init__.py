"""What every room uses: packets, containers, hashes, clocks, timers, random numbers, rates, the addresses of keys.

It takes and gives bytes, numbers and times, and knows no protocol. Any room may use it.
"""
