"""A session with a store: what a client, its runs and the node of an engine share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from maestro_flow.client.hints import Hints
from maestro_flow.clock import Environment, Event
from maestro_flow.core.graph import Graph
from maestro_flow.errors import Closed
from maestro_flow.model.inbox import Message
from maestro_flow.model.runs import PendingRun
from maestro_flow.reading.flows import FlowReader
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.storage.protocol import Storage

__all__ = ["LocalNode", "Session"]


class LocalNode(Protocol):
    """The node that an engine runs in this process, as a session uses it: shortcuts that save waiting for a scan."""

    def check(self) -> None:
        """Raise ``StorageFailed`` if the node cannot work any more, and ``Closed`` in a forked process."""

    def take_up(self, started: Sequence[PendingRun]) -> None:
        """These runs are durable: take them up without waiting for a scan."""

    def look_for_messages(self, group_id: int) -> None:
        """A message to this group is durable: read it without waiting for a scan."""

    def serving_groups(self) -> Sequence[int]:
        """Ids of the groups that the node serves."""
        ...

    def unsupported(self, graph: Graph) -> Mapping[str, str]:
        """The steps of a graph that the node cannot run, and why."""
        ...


class Session:
    """What a client, its runs and the node of an engine share. Thread-safe.

    ``node`` is set by an engine, once it has one. ``owner`` is the class of the client, for messages. The store is not
    closed by the session.
    """

    def __init__(
        self, storage: Storage, environment: Environment, new_event: Callable[[], Event], *, owner: str
    ) -> None:
        self.storage, self.environment = storage, environment
        self.graphs = GraphCache(storage)
        self.reader = FlowReader(storage, self.graphs)
        self.hints = Hints()
        self.node: LocalNode | None = None
        self.is_closed = False
        self._new_event, self._owner = new_event, owner

    def check(self) -> None:
        """See ``Client.check``."""
        if self.is_closed:
            raise Closed(f"this {self._owner} is closed; open the store with a new one")
        if self.node is not None:
            self.node.check()

    def close(self) -> None:
        """From now on every call raises ``Closed``; so do calls that wait already."""
        self.is_closed = True
        self.hints.wake_all()

    def send(self, message: Message) -> None:
        """Put a message into the inbox of its group."""
        self.check()
        self.storage.send(message)
        if self.node is not None:
            self.node.look_for_messages(message.group_id)

    def started(self, started: Sequence[PendingRun]) -> None:
        """New runs are durable: the node here takes its own up at once, other owners find theirs by a scan."""
        if self.node is not None:
            self.node.take_up(started)

    def groups(self) -> Sequence[int]:
        """The groups that a new run may be placed in: those served here, or any if there are none."""
        here = () if self.node is None else self.node.serving_groups()
        return here or range(self.storage.group_count)

    def unsupported(self, graph: Graph) -> Mapping[str, str]:
        """The steps of a graph that the node here cannot run, and why; none in a client without a node."""
        return {} if self.node is None else self.node.unsupported(graph)

    @contextmanager
    def waiting(self, flow_id: str, *, only_the_end: bool = False) -> Iterator[Event]:
        """An event that is set when this process commits to the flow, or only when it commits the flow's end."""
        event = self._new_event()
        with self.hints.waiting(flow_id, event, only_the_end=only_the_end):
            yield event
