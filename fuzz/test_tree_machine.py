"""Nodes join, part and restart: once nothing changes, connected nodes agree on the tree, and reach each other."""

from __future__ import annotations

import gc

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.simnet import Routers

NODES = 6
INDEX = st.integers(0, NODES - 1)
NUMBERS = st.lists(st.integers(1, 250), min_size=NODES, max_size=NODES, unique=True)


class TreeMachine(RuleBasedStateMachine):
    """A handful of nodes under virtual time, with links that come and go."""

    @initialize(seed=st.integers(0, 1000), numbers=NUMBERS)
    def start(self, seed: int, numbers: list[int]) -> None:
        self.network = Routers(seed)
        self.numbers = numbers
        self.nodes = [self.network.add(number) for number in numbers]

    @rule(a=INDEX, b=INDEX, delay=st.integers(1, 200), priority=st.integers(0, 2))
    def join(self, a: int, b: int, delay: int, priority: int) -> None:
        if a != b and len(self.network.links) < 12:
            self.network.join(self.nodes[a], self.nodes[b], delay / 1000, priority)

    @precondition(lambda self: self.network.links)
    @rule(which=st.integers(0, 11))
    def cut(self, which: int) -> None:
        self.network.links[which % len(self.network.links)].cut()

    @precondition(lambda self: self.network.links)
    @rule(which=st.integers(0, 11))
    def go_silent(self, which: int) -> None:
        """Lose a link without a word: both ends notice when something they sent is not answered."""
        self.network.links[which % len(self.network.links)].silent = True

    @rule(index=INDEX)
    def restart(self, index: int) -> None:
        """Forget everything but the key; its neighbours connect again."""
        old = self.nodes[index]
        others = [link.ends[1 - link.ends.index(old)] for link in self.network.links if old in link.ends]
        self.network.remove(old)
        self.nodes[index] = self.network.add(self.numbers[index])
        for other in others:
            self.network.join(self.nodes[index], other)

    @rule(a=INDEX, b=INDEX)
    def send(self, a: int, b: int) -> None:
        self.network.send(self.nodes[a], self.nodes[b], b"whenever")

    @rule(tenths=st.integers(0, 100))
    def wait(self, tenths: int) -> None:
        self.network.run(tenths / 10)

    @rule()
    def wait_for_a_refresh(self) -> None:
        self.network.run(310)

    @rule()
    def settle_and_check(self) -> None:
        """The invariant: whatever was wrong is renewed or forgotten within five minutes."""
        for link in [link for link in self.network.links if link.silent]:
            link.cut()
        self.network.run(330)
        for group in self._groups():
            self._check_tree(group)
            self._check_traffic(group)

    def _groups(self) -> list[list]:
        groups = {id(node): [node] for node in self.nodes}
        for link in self.network.links:
            a, b = (groups[id(end)] for end in link.ends)
            if a is not b:
                a.extend(b)
                for node in b:
                    groups[id(node)] = a
        return list({id(group): group for group in groups.values()}.values())

    def _check_tree(self, group: list) -> None:
        root = min(node.key for node in group)
        coords = {node.key: node.coords for node in group}
        for node in group:
            parents = {record["key"]: record["parent"] for record in node.tree_records()}
            assert node.root == root
            if node.key != root:
                assert node.coords[:-1] == coords[parents[node.key]]
        assert len({tuple(where) for where in coords.values()}) == len(group)

    def _check_traffic(self, group: list) -> None:
        for node in self.nodes:
            node.take_delivered()
        for a in group:
            for b in group:
                if a is not b:
                    # Twice: the first may find a path that broke unnoticed while it was not in use.
                    self.network.send(a, b, b"first " + a.key)
        self.network.run(8)
        for a in group:
            for b in group:
                if a is not b:
                    self.network.send(a, b, b"again " + a.key)
        self.network.run(8)
        for node in group:
            arrived = {payload for _, payload in node.take_delivered()}
            assert {b"again " + other.key for other in group if other is not node} <= arrived

    def teardown(self) -> None:
        if hasattr(self, "network"):
            self.network.close()
            self.nodes.clear()
        gc.collect()


TestTree = TreeMachine.TestCase
EXAMPLES = max(20, settings.default.max_examples // 4)
TestTree.settings = settings(stateful_step_count=20, max_examples=EXAMPLES, deadline=None)
