"""Pictures of TCP connections: time and sequence, what is in flight, round trips."""
