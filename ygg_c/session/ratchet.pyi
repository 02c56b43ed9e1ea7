STATES_BY_NAME: tuple[str, ...]
"""How the keys of a session with a remote stand, in the order of the engine's numbers."""
EVENTS_BY_NAME: tuple[str, ...]
"""What can happen to them."""
ACTIONS_BY_NAME: tuple[str, ...]
"""What follows."""
TRANSITIONS: dict[tuple[str, str], tuple[str, str]]
"""(state, event) → (action, state), for every event that a state can have: all others cannot happen."""
