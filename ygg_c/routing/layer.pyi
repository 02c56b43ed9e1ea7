class TrafficUpper:
    """Takes the messages for this node; the base class drops them."""

class TrafficLower:
    """Takes the messages that leave; the base class drops them."""
