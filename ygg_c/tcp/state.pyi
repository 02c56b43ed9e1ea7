STATES_BY_NAME: tuple[str, ...]
"""The states' names as RFC 9293 writes them, in the order of the engine's numbers."""
EVENTS_BY_NAME: tuple[str, ...]
"""What can happen to a connection."""
TRANSITIONS: dict[tuple[str, str], str]
"""(state, event) → state, for every event that a state can have: all others cannot happen."""
