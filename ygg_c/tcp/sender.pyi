from ygg_c.endpoint import Endpoint

class TcpSender(Endpoint):
    """TCP's sending half: what every connection has, whatever its state."""
