from ygg_c.io.pump cimport SocketPump

# Anything that is no plain stream socket, by the methods of its asyncio transport.
cdef class TransportPump(SocketPump):
    cdef object transport
    cdef object on_limit
    cdef bint _full                     # so the transport has said
