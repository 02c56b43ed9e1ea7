class LightTable:
    """Connections that are opening and in TIME-WAIT, by their ends."""
