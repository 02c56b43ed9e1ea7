class Verification:
    """What one router has to verify; see Router for what is public."""
