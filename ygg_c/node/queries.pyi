class Query:
    """One request without an answer."""

class QueryTable:
    """Requests for node information and debug data that wait for an answer, at most one for each kind and key."""
