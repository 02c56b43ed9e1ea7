# All system calls of the pumps. What the kernel is asked and told about a stream socket, beside reading and writing it,
# may fail: what it cannot do, or does not tell, makes links slower and nothing else. Built with YGG_NO_PUMPS there is
# no call, and no pump opens.

from libc.stdint cimport uint32_t, uint64_t

from ygg_c.link.link cimport Part

cdef extern from *:
    """
    #include <errno.h>
    #include <stddef.h>

    #if defined(_WIN32) && !defined(YGG_NO_PUMPS)
    #define YGG_NO_PUMPS
    #endif

    /* How a TCP connection gets on. Times are ms. */
    struct ygg_progress {
        uint64_t acked, waiting;        /* bytes that the far side has acknowledged, and that it has not */
        uint32_t segments_in;           /* with data, in whatever order */
        uint32_t rtt, silent;           /* a round trip, and the time since the last acknowledgement */
        int sent, timed_out;            /* some has been sent; a retransmission timer has expired since */
    };

    #ifdef YGG_NO_PUMPS         /* No system call: all links are carried by the methods of their transports. */
    #define YGG_PUMPS 0
    static int ygg_keep(int fd) { (void)fd; errno = ENOSYS; return -1; }
    static int ygg_close(int fd) { (void)fd; return -1; }
    static Py_ssize_t ygg_recv(int fd, void *data, size_t size) {
        (void)fd; (void)data; (void)size;
        errno = ENOSYS;
        return -1;
    }
    static Py_ssize_t ygg_read(int fd, void *data, size_t size) { return ygg_recv(fd, data, size); }
    static Py_ssize_t ygg_write(int fd, const void *data, size_t size) { return ygg_recv(fd, (void *)data, size); }
    static Py_ssize_t ygg_send(int fd, ygg_part *parts, int count, int more) {
        (void)count; (void)more;
        return ygg_recv(fd, parts, 0);
    }
    static void ygg_tune(int fd, int flight) { (void)fd; (void)flight; }
    static void ygg_limit_unsent(int fd, int limit, int buffer) { (void)fd; (void)limit; (void)buffer; }
    static size_t ygg_unsent(int fd) { (void)fd; return 0; }
    static uint32_t ygg_wait(int fd) { (void)fd; return 0; }
    static int ygg_look(int fd, struct ygg_progress *progress) { (void)fd; (void)progress; return 0; }
    #else
    #define YGG_PUMPS 1
    #include <fcntl.h>
    #include <netinet/in.h>
    #include <netinet/tcp.h>
    #include <sys/ioctl.h>
    #include <sys/socket.h>
    #include <sys/types.h>
    #include <sys/uio.h>
    #include <unistd.h>

    #ifdef __linux__
    #include <linux/sockios.h>
    #endif

    #ifndef MSG_NOSIGNAL
    #define MSG_NOSIGNAL 0      /* macOS: SO_NOSIGPIPE below */
    #endif
    #ifndef MSG_MORE
    #define MSG_MORE 0
    #endif

    /* What links give is laid out as the kernel takes it. */
    _Static_assert(sizeof(ygg_part) == sizeof(struct iovec)
                   && offsetof(ygg_part, data) == offsetof(struct iovec, iov_base)
                   && offsetof(ygg_part, size) == offsetof(struct iovec, iov_len), "struct iovec");

    /* A descriptor of one's own of the same file. */
    static int ygg_keep(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 0); }
    static int ygg_close(int fd) { return close(fd); }
    static Py_ssize_t ygg_recv(int fd, void *data, size_t size) { return recv(fd, data, size, MSG_DONTWAIT); }
    static Py_ssize_t ygg_read(int fd, void *data, size_t size) { return read(fd, data, size); }
    static Py_ssize_t ygg_write(int fd, const void *data, size_t size) { return write(fd, data, size); }

    /* `more` waits: the kernel need not send what fills no segment. */
    static Py_ssize_t ygg_send(int fd, ygg_part *parts, int count, int more) {
        struct msghdr message = {0};
        message.msg_iov = (struct iovec *)parts;
        message.msg_iovlen = count;
        return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
    }

    /* What fails may fail: it makes links slower. A UNIX socket's buffer does not grow by itself as TCP's does: it
       should take a whole flight, which the other side then reads at once. */
    static void ygg_tune(int fd, int flight) {
        int one = 1;
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0)
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &flight, sizeof flight);
    #ifdef SO_NOSIGPIPE
        setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
    #endif
    }

    /* What a UNIX socket has taken and the other side not read is all in its buffer, of which the kernel doubles the
       size; it calls the socket writable when a quarter is in use. */
    static void ygg_limit_unsent(int fd, int limit, int buffer) {
    #ifdef TCP_NOTSENT_LOWAT
        if (setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, sizeof limit) == 0)
            return;
    #endif
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    }

    /* Bytes that the kernel has taken and not sent, or for a UNIX socket, that are not read; 0 where it does not tell.
       */
    static size_t ygg_unsent(int fd) {
    #ifdef SIOCOUTQNSD
        int count = 0;
        if (ioctl(fd, SIOCOUTQNSD, &count) < 0 && ioctl(fd, SIOCOUTQ, &count) < 0)
            return 0;
        return count > 0 ? (size_t)count : 0;
    #else
        return 0;
    #endif
    }

    #ifdef __linux__
    struct ygg_info {                           /* the beginning of struct tcp_info, which not every libc has so far */
        uint8_t states[2], timeouts, flags[5];
        uint32_t sizes[4], unacked, first[4], data_sent, ack_sent, data_received, ack_received, then[2], rtt, later[8];
        uint64_t rates[2], bytes_acked, bytes_received;
        uint32_t segments[2], unsent, least_rtt, data_segments_in;
    };

    static int ygg_ask(int fd, struct ygg_info *info) {
        socklen_t size = sizeof *info;
        return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0 && size == sizeof *info;
    }
    #endif

    /* µs by which packets of a TCP connection now take longer than they once did: what waits for the wire, as a rule
       before its slowest part. 0 where the kernel does not tell. */
    static uint32_t ygg_wait(int fd) {
    #ifdef __linux__
        struct ygg_info info;
        if (ygg_ask(fd, &info) && info.rtt > info.least_rtt)
            return info.rtt - info.least_rtt;
    #endif
        return 0;
    }

    static int ygg_look(int fd, struct ygg_progress *progress) {
    #ifdef __linux__
        struct ygg_info info;
        int waiting = 0;
        if (ygg_ask(fd, &info) && ioctl(fd, SIOCOUTQ, &waiting) == 0) {
            progress->acked = info.bytes_acked;
            progress->waiting = (uint64_t)waiting;
            progress->segments_in = info.data_segments_in;
            progress->rtt = info.rtt / 1000;
            progress->silent = info.ack_received;
            progress->sent = info.unacked > 0;
            progress->timed_out = info.timeouts > 0;
            return 1;
        }
    #endif
        return 0;
    }
    #endif
    """
    const bint PUMPS "YGG_PUMPS"
    int ygg_keep(int fd) noexcept nogil
    int ygg_close(int fd) noexcept nogil
    Py_ssize_t ygg_recv(int fd, void *data, size_t size) noexcept nogil
    Py_ssize_t ygg_read(int fd, void *data, size_t size) noexcept nogil
    Py_ssize_t ygg_write(int fd, const void *data, size_t size) noexcept nogil
    Py_ssize_t ygg_send(int fd, Part *parts, int count, bint more) noexcept nogil
    void ygg_tune(int fd, int flight) noexcept nogil
    void ygg_limit_unsent(int fd, int limit, int buffer) noexcept nogil
    size_t ygg_unsent(int fd) noexcept nogil
    uint32_t ygg_wait(int fd) noexcept nogil
    struct ygg_progress:
        uint64_t acked
        uint64_t waiting
        uint32_t segments_in
        uint32_t rtt
        uint32_t silent
        bint sent
        bint timed_out
    bint ygg_look(int fd, ygg_progress *progress) noexcept nogil
