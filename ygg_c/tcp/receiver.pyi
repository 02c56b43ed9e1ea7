class Receiver:
    """TCP's receiving half: acceptability, reassembly, what to acknowledge and when, the window."""
