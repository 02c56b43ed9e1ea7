class Sender:
    """TCP's sending half: what leaves and when, acknowledgements, loss, the retransmission timer."""
