"""A queue that serves all names alike, however much waits under one of them."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Gives one item of each name after the other; those of one name as they came."""

    def __init__(self) -> None:
        self._queues: OrderedDict[Hashable, deque[Item]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def count(self, name: Hashable) -> int:
        """Return how many items wait under a name."""
        return len(self._queues.get(name, ()))

    def put(self, name: Hashable, item: Item) -> None:
        """Let an item wait behind those of its name."""
        if name not in self._queues:
            self._queues[name] = deque()
        self._queues[name].append(item)
        self._length += 1

    def take(self) -> Item:
        """Take the item whose turn it is."""
        name, queue = self._queues.popitem(last=False)
        item = queue.popleft()
        if queue:
            self._queues[name] = queue
        self._length -= 1
        return item


class FairQueues(Generic[Item]):
    """Fair queues of several kinds, which have their turns in rotation, too."""

    def __init__(self, kinds: Iterable[Hashable]) -> None:
        self._queues: dict[Hashable, FairQueue[Item]] = {kind: FairQueue() for kind in kinds}
        self._order = deque(self._queues.values())

    def __len__(self) -> int:
        return sum(map(len, self._order))

    def count(self, name: Hashable) -> int:
        """Return how many items of all kinds wait under a name."""
        return sum(queue.count(name) for queue in self._order)

    def put(self, kind: Hashable, name: Hashable, item: Item) -> None:
        """Let an item wait behind those of its kind and name."""
        self._queues[kind].put(name, item)

    def take(self) -> Item:
        """Take the item whose turn it is."""
        self._order.rotate(-1)
        while not self._order[0]:
            self._order.rotate(-1)
        return self._order[0].take()
