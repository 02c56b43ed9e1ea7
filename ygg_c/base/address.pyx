"""Addresses and subnets from public keys, and what an address tells of its key."""

from libc.string cimport memset


cdef inline int _bit(const uint8_t *data, int index) noexcept nogil:
    return (data[index >> 3] >> (7 - (index & 7))) & 1


cdef void key_address(const uint8_t *key, uint8_t *address) noexcept nogil:
    cdef int ones = 0
    cdef int start, index, count
    while ones < 256 and not _bit(key, ones):
        ones += 1
    memset(address, 0, 16)
    address[0] = ADDRESS_PREFIX
    address[1] = <uint8_t>ones
    start = ones + 1
    count = 256 - start
    # Only whole bytes of what is left of the key count.
    count = 112 if count > 112 else (count & ~7 if count > 0 else 0)
    for index in range(count):
        if not _bit(key, start + index):
            address[2 + (index >> 3)] |= <uint8_t>(0x80 >> (index & 7))


cdef void key_subnet(const uint8_t *key, uint8_t *subnet) noexcept nogil:
    cdef uint8_t address[16]
    cdef int index
    key_address(key, address)
    for index in range(8):
        subnet[index] = address[index]
    subnet[0] = SUBNET_PREFIX


cdef void partial_key(const uint8_t *address, uint8_t *key) noexcept nogil:
    cdef int ones = address[1]
    cdef int index, place
    memset(key, 0xff, 32)
    for index in range(ones):
        key[index >> 3] &= <uint8_t>~(0x80 >> (index & 7))
    for index in range(112):
        place = ones + 1 + index
        if place < 256 and _bit(address + 2, index):
            key[place >> 3] &= <uint8_t>~(0x80 >> (place & 7))


cdef void lookup_key(const uint8_t *key, uint8_t *transformed) noexcept nogil:
    cdef uint8_t address[16]
    memset(address, 0, 16)
    key_subnet(key, address)
    partial_key(address, transformed)


cdef const uint8_t *_exactly(bytes data, size_t size, str name) except NULL:
    if len(data) != size:
        raise ValueError(f"{name} must be {size} bytes, not {len(data)}")
    return <const uint8_t *><const char *>data


def address_for_key(bytes key not None):
    """Return the 16-byte address of a 32-byte public key."""
    cdef uint8_t address[16]
    key_address(_exactly(key, 32, "public key"), address)
    return address[:16]


def subnet_for_key(bytes key not None):
    """Return the 8-byte subnet prefix of a 32-byte public key."""
    cdef uint8_t subnet[8]
    key_subnet(_exactly(key, 32, "public key"), subnet)
    return subnet[:8]


def partial_key_for_address(bytes address not None):
    """Return the 32-byte partial key that a 16-byte address tells."""
    cdef uint8_t key[32]
    partial_key(_exactly(address, 16, "address"), key)
    return key[:32]


def lookup_key_for_key(bytes key not None):
    """Return the 32-byte form under which a public key is looked up."""
    cdef uint8_t transformed[32]
    lookup_key(_exactly(key, 32, "public key"), transformed)
    return transformed[:32]
