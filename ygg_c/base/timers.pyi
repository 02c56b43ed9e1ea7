class Timed:
    """Something with a deadline, in ns."""

class TimerHeap:
    """One deadline for each of many objects, earliest first."""
