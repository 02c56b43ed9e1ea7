"""The spanning tree (protocol 0.5, spanning tree).

Theory of operation
-------------------

Every node names a parent among its neighbours, and the node with the smallest key names itself: following parents from
anywhere ends there. A node's coordinates are the port numbers on the way down to it, so that two coordinates tell how
far apart their nodes are in the tree: forwarding needs no more (see nexthop.pyx).

What a node knows is a set of records, one per node key: "my parent is P, who knows me as port n", signed by both.
Records are soft state: refreshed every four minutes by their owner, forgotten after five. For one key, all nodes prefer
the same of two records (replaces(), which must be identical everywhere): the higher sequence number, then the smaller
parent, then the smaller nonce.

To name P as parent a node needs P's signature over a sequence number of its own choosing. It asks every neighbour ahead
of need, whenever its own record has changed, and keeps the answers: a lost parent is replaced at once, without a round
trip. The same question measures the link's round trip, which is its cost, and proves that the far side holds its key:
the handshake alone can be replayed. Until the first answer a link has no part in its neighbour's state and carries
nothing; it is told our records, which are public, so that its far side need not wait for a round trip, and what it
tells us is parked (see link/deferred.pyx).

A parent that loses a link and takes it back before its child has noticed may know the child by another number: then the
child's record, with which others address it, names a number that is free or another's. Whenever the parent's answer
says so, the child announces itself anew; and a parent gives a returning child the number that its record names, and to
no other.

Once a second, and soon after something has happened that it may act on, maintain() chooses a parent when there is a
reason (it is gone, a smaller root is known, four minutes are over) and sends each neighbour what it lacks of our
ancestry and of its own, root first, so that each record connects to what the receiver has. What exceeds the depth of
any real tree follows in portions: a neighbour that verifies as it reads would hear nothing else meanwhile. A node that
has lost its place and finds no one better waits a second, and then calls itself the root; at once where all its
neighbours are below it, for it must do so before they can help it. Each such haste moves all nodes below: where a
parent comes and goes it is allowed ever less often.

A node that restarts has lost its sequence number. Its neighbours still hold the old, higher one and send it back; the
node takes it over, and asks its neighbours anew for signatures above it.
"""

from cpython.ref cimport PyObject
from libc.string cimport memcmp, memcpy

from ygg_c.base.address cimport lookup_key
from ygg_c.base.clock cimport MS, NEVER, SECOND
from ygg_c.base.ratelimit cimport Bucket, backoff_step, bucket_init, bucket_take, bucket_wait
from ygg_c.base.sodium cimport sign, verify
from ygg_c.link.link cimport HELD, LAG_UNKNOWN, WORK_SIGN, WORK_VERIFY
from ygg_c.link.wire cimport ERR_BAD_MESSAGE, OK, SIG_REQ, SIG_RES, TREE_BYTES_MAX, tree_bytes, uv_put
from ygg_c.routing.gossip cimport gossip_meet
from ygg_c.routing.preference cimport best_link, best_parent, is_cut_off
from ygg_c.routing.records cimport Walk

cdef uint64_t REFRESH_AFTER = 240 * SECOND      # ns after its last change our record is renewed
cdef uint64_t ROOT_AFTER = SECOND               # ns without a parent after which we become root
cdef uint64_t READY_AFTER = 1200 * MS           # ns after its proof: the reference looks at its tree once a second
# ns between announcements that our parent knows us by another number; it doubles
cdef uint64_t RENUMBER_LEAST = SECOND
cdef uint64_t RENUMBER_MOST = 64 * SECOND
# How far above a record of ours that came from elsewhere we go. If another program with our key made it, its next two
# are below that: it is told of ours when it announces itself the next time, and goes above us in turn.
cdef uint64_t OUTDO = 3
cdef uint64_t HURRY_LEAST = 2 * SECOND          # ns between times that we become root at once; it doubles
cdef uint64_t HURRY_MOST = 8 * SECOND


# The merge rule: whether (seq, parent, nonce) takes the place of the old one.
cdef inline bint _replaces(uint64_t seq, const uint8_t *parent, uint64_t nonce,
                           uint64_t old_seq, const uint8_t *old_parent, uint64_t old_nonce) noexcept nogil:
    cdef int order
    if seq != old_seq:
        return seq > old_seq
    order = memcmp(parent, old_parent, 32)
    if order:
        return order < 0
    return nonce < old_nonce


cdef inline uint64_t _smooth(uint64_t lag, uint64_t rtt) noexcept nogil:
    if lag == LAG_UNKNOWN:
        return min(2 * rtt, LAG_UNKNOWN - 1)
    return lag * 7 // 8 + min(rtt, 2 * lag) // 8


cdef class Tree(Records):
    """The neighbours of one node, what they say of the tree, and its place in it."""

    def __cinit__(self, LinkHost host not None):
        self._met = []
        self._unproven = []
        self._by_key = ByteMap(32, host.random.u64())
        self._by_target = ByteMap(32, host.random.u64())
        self.gossip = Gossip()

    # Neighbours and links

    cdef Neighbour neighbour(self, const uint8_t *key):
        cdef PyObject *found = self._by_key.get(key)
        cdef Neighbour neighbour
        cdef uint64_t now = self.host.now
        if found != NULL:
            return <Neighbour>found
        neighbour = Neighbour(self.host.random)
        memcpy(neighbour.key, key, 32)
        neighbour.port = self._free_port(key)
        bucket_init(&neighbour.requests, 10, 100, now)
        gossip_meet(neighbour, now)
        self._by_key.put(key, neighbour)
        self._met.append(neighbour)
        return neighbour

    # A number for a neighbour: the one its record names as our child's, when no other has it. Else the lowest that
    # neither a neighbour has nor the record of a child that is gone still names: until that is forgotten both would
    # share coordinates.
    cdef uint64_t _free_port(self, const uint8_t *key):
        cdef Neighbour neighbour
        cdef Record record
        cdef uint64_t port = 1
        taken = {neighbour.port for neighbour in self._met}
        record = self.record(key)
        if record is not None and self._is_child(record) and record.port not in taken:
            return record.port
        taken.update([record.port for record in self.entries if self._is_child(record)])
        while port in taken:
            port += 1
        return port

    cdef bint _is_child(self, Record record) noexcept:
        return memcmp(record.parent, self.host.key, 32) == 0 and record is not self.own

    cdef Neighbour proven(self, const uint8_t *key):
        cdef PyObject *found = self._by_key.get(key)
        return <Neighbour>found if found != NULL and (<Neighbour>found).links else None

    cdef void link_up(self, Link link) noexcept:
        link.neighbour.unproven.append(link)
        self._unproven.append(link)
        self._ask(link)
        link.proof_seq = link.request_seq
        link.proof_nonce = link.request_nonce

    cdef void prove(self, Link link) noexcept:
        cdef Neighbour neighbour = link.neighbour
        cdef uint8_t target[32]
        cdef Record record
        self.generation += 1
        self._unproven.remove(link)
        neighbour.unproven.remove(link)
        neighbour.links.append(link)
        link.proven = True
        link.prove_by = NEVER
        if len(neighbour.links) == 1:
            neighbour.since = self.host.now
            self.neighbours.append(neighbour)
            lookup_key(neighbour.key, target)
            self._by_target.put(target, neighbour)
            neighbour.sent = link.told
        else:
            # What the neighbour has been told, each link has told it: the rest is told again.
            for record in self.entries:
                if not link.told.has(record.key):
                    neighbour.sent.discard(record.key)
                else:
                    self.gossip.note_sent(neighbour, record.key)
        link.told = None
        self.gossip.want(neighbour)
        self.gossip.soon(self.host)

    cdef Link link_to(self, const uint8_t *key):
        cdef PyObject *found = self._by_key.get(key)
        return None if found == NULL else best_link(<Neighbour>found)

    cdef bint is_ready(self, const uint8_t *key) noexcept:
        cdef Neighbour neighbour = self.proven(key)
        return neighbour is not None and self.host.now - neighbour.since >= READY_AFTER

    cdef Neighbour neighbour_wanted(self, const uint8_t *target):
        cdef PyObject *found = self._by_target.get(target)
        return <Neighbour>found if found != NULL else None

    cdef bint link_down(self, Link link) noexcept:
        cdef Neighbour neighbour = link.neighbour
        if link.proven:
            self.generation += 1
            neighbour.links.remove(link)
            if not neighbour.links:
                self._lose(neighbour)
        else:
            self._unproven.remove(link)
            neighbour.unproven.remove(link)
        if not neighbour.links and not neighbour.unproven:
            self._by_key.discard(neighbour.key)
            self._met.remove(neighbour)
        return link.proven and len(neighbour.links) > 0

    cdef void _lose(self, Neighbour neighbour) noexcept:
        cdef uint8_t target[32]
        cdef Record record
        lookup_key(neighbour.key, target)
        self._by_target.discard(target)
        self._forget_coords(self.record(neighbour.key))      # only those of neighbours are kept
        self.neighbours.remove(neighbour)
        for record in self.entries:
            if record.bringer is neighbour:
                record.bringer = None
        neighbour.forget()

    # Signature requests

    cdef uint64_t _next_seq(self) noexcept:
        if self.own is None:
            return 1
        return self.own.seq + (OUTDO if self._outdone else 1)

    cdef void _ask(self, Link link) noexcept:
        cdef uint8_t body[20]
        cdef uint8_t *at
        link.request_seq = self._next_seq()
        link.request_nonce = self.host.random.u64()
        link.responded = False
        at = uv_put(body, link.request_seq)
        at = uv_put(at, link.request_nonce)
        link.asked_at = self.host.now
        link.send_control(SIG_REQ, body, at - body)

    # A neighbour that makes another link may have lost those it had: ask by those that are silent, and use them once
    # they answer.
    cdef bint doubt_others(self, Link link) noexcept:
        cdef bint alone = True
        cdef bint known
        cdef Link other
        for other in link.neighbour.links:
            if other is link:
                continue
            known = other.doubted
            if not other.doubt():
                alone = False
            elif not known:
                other.responded = False
                self._ask(other)
        return alone

    # Answers to the old questions are of no more use.
    cdef void _ask_again(self) noexcept:
        cdef Neighbour neighbour
        cdef Link link
        for neighbour in self.neighbours:
            neighbour.answered = False
            for link in neighbour.links:
                self._ask(link)
        for link in self._unproven:
            self._ask(link)

    cdef int request_in(self, Link link, const SigReq *message) noexcept:
        cdef Neighbour neighbour = link.neighbour
        cdef uint8_t signed[TREE_BYTES_MAX]
        cdef uint8_t body[30 + 64]
        cdef uint8_t *at = body
        cdef size_t size
        cdef Bucket *requests = &neighbour.requests if link.proven else &link.requests
        if not bucket_take(requests, self.host.now):
            self.requests_limited += 1
            if link.proven:
                return OK
            # Its own question may be among them, without an answer to which it would close the link: it is not dropped.
            link.hold(self.host.now + bucket_wait(requests))
            return HELD
        self.host.work -= WORK_SIGN
        size = tree_bytes(signed, neighbour.key, self.host.key, message.seq, message.nonce, neighbour.port)
        at = uv_put(at, message.seq)
        at = uv_put(at, message.nonce)
        at = uv_put(at, neighbour.port)
        sign(at, signed, size, self.host.secret)
        link.send_control(SIG_RES, body, at + 64 - body)
        return OK

    cdef int response_in(self, Link link, const SigRes *message) noexcept:
        cdef Neighbour neighbour = link.neighbour
        cdef uint8_t signed[TREE_BYTES_MAX]
        cdef size_t size
        cdef bint current = (
            message.seq == link.request_seq and message.nonce == link.request_nonce and not link.responded)
        cdef bint proof = not link.proven and message.seq == link.proof_seq and message.nonce == link.proof_nonce
        # Of what was not asked nothing is believed, so it is not worth a verification.
        if not current and not proof:
            self.answers_unasked += 1
            return OK
        # We asked, so it is verified at once; it counts for what else its link asks for.
        self.host.verifications.charge(link.order, 1, self.host.now)
        self.host.work -= WORK_VERIFY
        size = tree_bytes(signed, self.host.key, neighbour.key, message.seq, message.nonce, message.port)
        if verify(message.psig, signed, size, neighbour.key) != 0:
            return ERR_BAD_MESSAGE
        if not link.proven:
            self.prove(link)
        if current:
            link.responded = True
            link.latency = self.host.now - link.asked_at
            link.lag = _smooth(link.lag, link.latency)
            self.generation += 1
            self._keep_answer(neighbour, message)
        return OK

    # With this the neighbour can become our parent at once.
    cdef void _keep_answer(self, Neighbour neighbour, const SigRes *message) noexcept:
        if neighbour.answered and message.port == neighbour.response_port:
            return
        neighbour.answered = True
        neighbour.response_seq = message.seq
        neighbour.response_nonce = message.nonce
        neighbour.response_port = message.port
        memcpy(neighbour.response_psig, message.psig, 64)
        if self._is_useful(neighbour) or self._is_renumbered():
            self.host.want_maintenance(self.host.now)

    # Whether this neighbour, having answered, may become our parent.
    cdef bint _is_useful(self, Neighbour neighbour) noexcept:
        cdef Walk ours, theirs
        if self._refresh or self._root_at != NEVER:
            return True
        self.walk(self.host.key, &ours)
        self.walk(neighbour.key, &theirs)
        return theirs.depth and memcmp(theirs.root, ours.root, 32) < 0

    # Whether our parent has answered with another number for us than our record names, and we may announce that now.
    cdef bint _is_renumbered(self) noexcept:
        cdef Neighbour parent = self._parent()
        return (parent is not None and parent.answered and parent.response_port != self.own.port
                and self.host.now >= self._renumberings.after)

    # A parent that gives us ever other numbers makes us announce ourselves at growing intervals.
    cdef void _check_number(self) noexcept:
        if self._is_renumbered():
            backoff_step(&self._renumberings, RENUMBER_LEAST, RENUMBER_MOST, self.host.now)
            self._refresh = True

    # Records

    cdef int announce_in(self, Link link, const Announce *message) noexcept:
        cdef Neighbour neighbour = link.neighbour
        cdef uint8_t signed[TREE_BYTES_MAX]
        cdef size_t size
        cdef Record record
        if message.port == 0 and memcmp(message.node, message.parent, 32) != 0:
            return ERR_BAD_MESSAGE
        record = self.record(message.node)
        if record is not None and _same(record, message):
            self.gossip.note_sent(neighbour, message.node)
            return OK
        if not self.host.verifications.take(link.order, NULL, True, 2, self.host.now):
            return HELD
        self.host.work -= 2 * WORK_VERIFY
        size = tree_bytes(signed, message.node, message.parent, message.seq, message.nonce, message.port)
        if verify(message.psig, signed, size, message.parent) != 0 or verify(message.sig, signed, size,
                                                                             message.node) != 0:
            return ERR_BAD_MESSAGE
        if record is None or _replaces(message.seq, message.parent, message.nonce, record.seq, record.parent,
                                       record.nonce):
            if self._store(message, neighbour, self.proven(message.node) is not None) < 0:
                return OK
            if memcmp(message.node, self.host.key, 32) == 0:
                self._refresh = self._outdone = True        # from before we restarted: get above it
                self._ask_again()
                self.host.own_record_in()
            self.gossip.note_sent(neighbour, message.node)
            self.news = True
        else:
            self.gossip.note_sent(neighbour, message.node)
            self.gossip.send_record(link, record)
        return OK

    cdef void _replaced(self, const uint8_t *key) noexcept:
        cdef Neighbour neighbour
        cdef Link link
        for neighbour in self.neighbours:
            neighbour.sent.discard(key)
        for link in self._unproven:
            link.told.discard(key)

    # Parent

    cdef Neighbour _parent(self):
        return self.proven(self.own.parent) if self.own is not None else None

    cdef void maintain(self) noexcept:
        self.news = False
        self._expire()
        if self.own is not None and self.host.now - self.own.updated >= REFRESH_AFTER:
            self._refresh = True
        if self._stale:
            self._changed_at = 0
            self._note_change()
        self._check_number()
        self._choose_parent()
        self.gossip.tell_all(self, self._unproven)

    cdef void _choose_parent(self) noexcept:
        cdef Neighbour current = self._parent()
        cdef Neighbour best = best_parent(self, current, self._refresh)
        if not (self._refresh or self._root_at != NEVER or self._is_change(best, current)):
            return
        if best is not None and best.answered and self._adopt(best):
            self._settle()
        elif self.host.now >= self._root_at or (best is None and is_cut_off(self) and self._may_hurry()):
            self._become_root()
            self._settle()
        else:
            if self._root_at == NEVER:
                self._root_at = self.host.now + ROOT_AFTER      # perhaps a better answer comes before
            self.host.want_maintenance(self._root_at)

    cdef bint _is_change(self, Neighbour best, Neighbour current) noexcept:
        if best is not None:
            return best is not current
        return self.own is None or memcmp(self.own.parent, self.host.key, 32) != 0

    # A parent that comes and goes would have all nodes below us find their place anew each time.
    cdef bint _may_hurry(self) noexcept:
        if self.host.now < self._hurries.after:
            return False
        backoff_step(&self._hurries, HURRY_LEAST, HURRY_MOST, self.host.now)
        return True

    cdef bint _adopt(self, Neighbour parent) noexcept:
        cdef uint8_t signed[TREE_BYTES_MAX]
        cdef uint8_t sig[64]
        cdef Announce record
        cdef size_t size
        if self.own is not None and not _replaces(parent.response_seq, parent.key, parent.response_nonce,
                                                  self.own.seq, self.own.parent, self.own.nonce):
            return False
        size = tree_bytes(signed, self.host.key, parent.key, parent.response_seq, parent.response_nonce,
                          parent.response_port)
        sign(sig, signed, size, self.host.secret)
        record.node = self.host.key
        record.parent = parent.key
        record.seq = parent.response_seq
        record.nonce = parent.response_nonce
        record.port = parent.response_port
        record.psig = parent.response_psig
        record.sig = sig
        return self._store(&record, None, True) == 0

    cdef void _become_root(self) noexcept:
        cdef uint8_t signed[TREE_BYTES_MAX]
        cdef uint8_t sig[64]
        cdef Announce record
        cdef size_t size
        record.node = record.parent = self.host.key
        record.seq = self._next_seq()
        record.nonce = self.host.random.u64()
        record.port = 0
        size = tree_bytes(signed, self.host.key, self.host.key, record.seq, record.nonce, 0)
        sign(sig, signed, size, self.host.secret)
        record.psig = record.sig = sig
        self._store(&record, None, True)

    # Our record has changed by our own doing.
    cdef void _settle(self) noexcept:
        self._refresh = self._outdone = False
        self._root_at = NEVER
        self._ask_again()


cdef inline bint _same(Record record, const Announce *message) noexcept:
    return (
        record.seq == message.seq and record.nonce == message.nonce and record.port == message.port
        and memcmp(record.parent, message.parent, 32) == 0
        and memcmp(record.psig, message.psig, 64) == 0 and memcmp(record.sig, message.sig, 64) == 0
    )


# The rules that every node must share, for Python.

def replaces(new, old):
    """Tell whether a record (seq, parent key, nonce) replaces another for the same node."""
    cdef bytes new_parent = new[1], old_parent = old[1]
    if len(new_parent) != 32 or len(old_parent) != 32:
        raise ValueError("keys have 32 bytes")
    return bool(_replaces(new[0], new_parent, new[2], old[0], old_parent, old[2]))


def smooth_lag(lag, uint64_t rtt):
    """Return a link's lag after a round trip."""
    return _smooth(LAG_UNKNOWN if lag is None else lag, rtt)
