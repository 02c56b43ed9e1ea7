# What may not be shared by the two processes that a fork makes of one; see forks.pyx.

from libc.stdint cimport uint64_t

cdef uint64_t generation                    # how many forks this process is away from the one that loaded the engine

cpdef void register(int descriptor) noexcept
cpdef void unregister(int descriptor) noexcept
cdef int check_fork(uint64_t made) except -1        # raise `refusal` where an object of generation `made` is not ours
