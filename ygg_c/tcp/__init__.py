"""TCP: from the header of a segment to what an application calls.

It takes segments and times from the stack, and calls from above; it gives segments and events, and asks the layer below
for room on the way. It knows neither links nor keys. The room stack uses it.
"""
