class ReceiveQueue:
    """What arrived and was not read, each byte written once where the application will read it."""
