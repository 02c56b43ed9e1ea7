class Maintenance:
    """The periodic work of one router; see Router for what is public."""
