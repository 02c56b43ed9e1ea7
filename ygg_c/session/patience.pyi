"""When a handshake may be repeated: used by the engine's own modules only, so nothing of it is visible from Python."""
