"""What goes wrong between a client and an admin socket."""

from ygg.errors import YggError


class AdminError(YggError):
    """The node has refused a request; the text is its own."""

    text = "the node has refused the request"


class EnvelopeError(YggError, ValueError):
    """What came is no JSON object; nothing that follows on the connection can be read."""

    text = "failed to find request"
