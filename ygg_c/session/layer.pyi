class SessionUpper:
    """Takes the payloads of sessions; the base class drops them."""
