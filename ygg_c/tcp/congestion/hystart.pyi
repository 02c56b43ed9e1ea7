"""When slow start ends: HyStart++ (RFC 9406). Nothing of it is seen from Python."""
