"""The links of a node: made by dialing and by listening, kept up, ended (protocol 0.5, Link identity and life cycle).

Theory of operation. A *record* stands for each link there is or shall be (`records`). It is known by its URL without
the query and by the interface that it leaves by. `lifecycle` has its kinds and states, and the one table of what
follows what: nothing else sets a state. What happens is told by three:

- `dialer` begins attempts, and waits between those of persistent links (`ygg.node.redial`);
- `acceptor` has a record for each connection that a listener accepts;
- `live` shakes hands on a transport that either has got, starts the link, and hears from the engine of its proof and of
  its end.

`records` acts on the states: it knows which records there are, and which of them are newcomers. A record that becomes
closed leaves it, and whatever comes later for that record, such as a dial that ends after `remove()`, changes nothing.

What a listener accepts is a newcomer until its link's far side has shown that it holds its key. Only then does it take
one of the places for incoming links, and another may have to make room: `places` counts them, and
`ygg.node.admission` chooses.

Each attempt, welcome and listener is a task (`tasks`), so that a removal is a cancellation; a record keeps the task
that works for it. The transport of a link that has ended may live for a moment longer, until its own end has been told:
it belongs to its `Carrier` by then, and the record, if it is a persistent one, waits for the next attempt already.

Everything that the other side can do ends a link with a reason in the log and in the record, and nowhere else.
"""
