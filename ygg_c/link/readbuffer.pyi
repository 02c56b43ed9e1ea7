class ReadPool:
    """The read buffer that the links of one router share."""
