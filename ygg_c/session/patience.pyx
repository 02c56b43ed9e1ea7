"""When a handshake may be repeated.

Each handshake makes the other side step, and what is on its way then arrives under keys that are gone: that is no
reason for another one. The way's length is not known, so what is repeated is repeated after 1, 2, 4 … 32 seconds
(the patience), counted from the last handshake in either direction, and only while nothing opens. Inits that tell other
keys than those we know are answered as rarely, by a count of their own, while keys are unsettled: the reference sends
an Init each second for as long as nothing opens, and steps at each Ack. The least is a second, for a second one with
the same time stamp would be ignored; but when a path is replaced an Init may have been lost on the old one, and is
repeated once. The first repetition of an Init that opens a session carries the present second, so that an Ack that was
lost, or could not be sent yet, is sent again too. The two after it carry the stamp of the one before: a remote that has
had that one, over a way of several seconds, is left alone. The repetitions need no further payload: where many ask at
once some are refused, and one datagram may be all that is sent.

Patience that a mishap has cost (a restart, handshakes that were replayed, a way that was cut) must not delay the end of
the next. That something opens does not end it, for on a long way that keeps stepping a packet opens now and then. It
ends in four ways:

- The first packet under our latest keys shows that the remote has taken our last step, and that we have its own: the
  ends are in step, and a round trip takes no longer than has passed since that step. Twice that time is all the
  patience there is reason for. No other can make such a packet, and on a way that keeps stepping none arrives within
  a round trip of a step.
- A remote that lets seconds pass between its Inits waits for answers itself, and would wait for longer if it had none
  again.
- A remote that has started anew was not there to answer: what was learned by waiting for it tells nothing, and a second
  will do.
- Where the remote's own keys show no step, payloads that open for two seconds more than twice the patience settle it.

So over a short way two ends that were in step a moment ago are so again within seconds, whatever is restarted or
replayed between, and patience grows large only when handshakes fail one after another. One who replays packets of old
keys makes us send an Init when nothing has opened for a second, and then after ever longer waits until the ends have
shown that they are in step, which takes a step of both: fifteen Inits a minute are the most that was seen, of 130
microseconds each.
"""

from ygg_c.base.clock cimport SECOND

cdef uint64_t PATIENCE_MAX = 32                 # seconds
cdef uint64_t WAITED = 4                        # seconds between Inits of one who waits for their answers


cdef inline uint64_t _doubled(uint64_t patience) noexcept nogil:
    return min(max(2 * patience, <uint64_t>1), PATIENCE_MAX)


cdef bint is_awaited(Remote remote, uint64_t least, uint64_t now) noexcept:
    return now - remote.turned < max(remote.patience, least) * SECOND


cdef bint may_repeat(Remote remote, uint64_t now, uint64_t wall) noexcept:
    return remote.said == 0 or (wall != remote.said and not is_awaited(remote, 1, now))


cdef void note_repeated(Remote remote) noexcept:
    remote.patience = _doubled(remote.patience)


cdef void note_answered(Session session) noexcept:
    session.ack_patience = _doubled(session.ack_patience)


cdef void note_turned(Session session, uint64_t now) noexcept:
    session.turned = now
    session.in_step = False
    session.opened_before = session.packets_received


cdef void trust(Session session, uint64_t most) noexcept:
    session.patience = min(session.patience, most)
    session.ack_patience = min(session.ack_patience, most)


cdef bint is_settled(Session session) noexcept:
    if (session.packets_received != session.opened_before
            and session.aging.used > session.turned + (2 * session.patience + 2) * SECOND):
        session.in_step = True
        trust(session, 0)
    return session.in_step


cdef bint has_waited(Session session, uint64_t seq) noexcept:
    cdef uint64_t last = session.asked
    session.asked = max(last, seq)
    return last and seq >= last + WAITED
