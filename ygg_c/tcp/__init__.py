"""TCP: from the header of a segment to what an application calls."""
