class LightNodes:
    """The remote nodes of connections that are opening or in TIME-WAIT."""
