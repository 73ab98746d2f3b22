"""The queues of a group, by workflow. A queue exists while it has runs, and moves after every change."""

from __future__ import annotations

from collections.abc import Callable, Collection

from maestro_flow.core.workflow_queue import Entrant, Order, Question, WorkflowQueue
from maestro_flow.model.flow_id import FlowId

__all__ = ["GroupQueues"]


class GroupQueues:
    """Each method returns the orders for flows; ``ask`` receives questions that the store must answer."""

    def __init__(self, ask: Callable[[Question], None]) -> None:
        self._ask = ask
        self._queues: dict[str, WorkflowQueue] = {}
        self._is_loaded = False

    def enter(self, entrant: Entrant) -> list[Order]:
        """A run is live, or was read again from the store."""
        queue = self._of(entrant.flow_id)
        queue.enter(entrant)
        return self._move(queue)

    def is_being_ended(self, flow_id: str) -> list[Order]:
        """The end of an active run is durable: it is being stopped."""
        queue = self._of(flow_id)
        queue.is_being_ended(flow_id)
        return self._move(queue)

    def leave(self, flow_id: str, *, is_blocking: bool) -> list[Order]:
        """A run has ended, or one that ended before no longer blocks."""
        queue = self._of(flow_id)
        queue.leave(flow_id, is_blocking=is_blocking)
        return self._move(queue)

    def pass_over(self, flow_id: str) -> list[Order]:
        """A run is parked."""
        queue = self._of(flow_id)
        queue.pass_over(flow_id)
        return self._move(queue)

    def occupy(self, flow_id: str) -> None:
        """A run is active in the store, but cannot be read here."""
        self._of(flow_id).occupy(flow_id)

    def loaded(self) -> list[Order]:
        """The group is loaded: from now on runs may be launched (PROTOCOL 10)."""
        self._is_loaded = True
        orders: list[Order] = []
        for queue in list(self._queues.values()):
            queue.loaded()
            orders += self._move(queue)
        return orders

    def answered(self, workflow_id: str, blocking: Collection[str] | None) -> list[Order]:
        """The store's answer to a question about a workflow."""
        queue = self._queues.get(workflow_id)
        if queue is None:
            return []
        queue.answered(blocking)
        return self._move(queue)

    def _of(self, flow_id: str) -> WorkflowQueue:
        workflow_id = FlowId.parse(flow_id).workflow_id
        queue = self._queues.get(workflow_id)
        if queue is None:
            queue = self._queues[workflow_id] = WorkflowQueue(workflow_id, is_loaded=self._is_loaded)
        return queue

    def _move(self, queue: WorkflowQueue) -> list[Order]:
        orders = queue.move()
        question = queue.ask()
        if question is not None:
            self._ask(question)
        if queue.is_idle:
            del self._queues[queue.workflow_id]
        return orders
