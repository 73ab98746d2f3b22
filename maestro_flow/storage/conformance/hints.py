"""Hints: a listener hears what came in for a group, but must not rely on it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import Node, message_to
from maestro_flow.storage.protocol import Storage

__all__ = ["Hints", "SharedHints"]

PATIENCE_S = 30.0


class _Heard:
    """The groups that a listener has heard of."""

    def __init__(self) -> None:
        self._groups: list[int] = []
        self._news = threading.Condition()

    def __call__(self, group_id: int) -> None:
        with self._news:
            self._groups.append(group_id)
            self._news.notify_all()

    def waits_for(self, group_id: int, again: Callable[[], object] = lambda: None) -> bool:
        """A hint may be lost, especially while the connection is being established: ``again`` causes another one."""
        with self._news:
            for _ in range(int(PATIENCE_S / 0.1)):
                if self._news.wait_for(lambda: group_id in self._groups, 0.1):
                    return True
                again()
        return False


class Hints(Concern):
    """What is done through the listener's own handle, to groups that are not held through it."""

    def test_a_message_a_start_a_release_and_a_redrive_are_heard(self, node: Node) -> None:
        """PROTOCOL 18."""
        store, heard = node.store, _Heard()
        stop = store.listen(heard)
        store.push("w", b"{}")
        for number, act in enumerate(_acts(node)):
            group_id = act()
            assert heard.waits_for(group_id), number
        stop()

    def test_a_listener_that_has_stopped_hears_no_more(self, node: Node) -> None:
        """PROTOCOL 18: stopping is idempotent; other listeners still hear."""
        heard, other = _Heard(), _Heard()
        stop, stop_other = node.store.listen(heard), node.store.listen(other)
        stop()
        stop()
        group_id = (node.group_id + 1) % node.store.group_count
        node.store.send(message_to(group_id))
        assert other.waits_for(group_id)
        assert not heard._groups  # noqa: SLF001 - ours
        stop_other()

    def test_a_listener_that_fails_fails_alone(self, node: Node) -> None:
        """PROTOCOL 18: neither the sender nor another listener is affected."""

        def broken(_group_id: int) -> None:
            raise ValueError("spam")

        heard = _Heard()
        stops = [node.store.listen(broken), node.store.listen(heard)]
        group_id = (node.group_id + 1) % node.store.group_count
        node.store.send(message_to(group_id))
        assert heard.waits_for(group_id)
        for stop in stops:
            stop()

    def test_a_store_is_closed_while_somebody_listens(self, store: Storage) -> None:
        """PROTOCOL 18: it closes what it listens with."""
        store.listen(_Heard())
        store.close()


class SharedHints(Concern):
    """What is done through other handles, by other nodes."""

    needs = "hints_others"

    def test_what_others_do_is_heard(self, node: Node, second: Storage) -> None:
        """PROTOCOL 18: the owner is told at once."""
        heard = _Heard()
        stop = node.store.listen(heard)
        numbers = iter(range(1000))
        first = node.group_id
        assert heard.waits_for(first, lambda: second.send(message_to(first, f"m{next(numbers)}")))
        second.push("w", b"{}")
        second.start([StartRequest("w", "r", 7)])
        assert heard.waits_for(7, lambda: second.start([StartRequest("w", f"r{next(numbers)}", 7)]))
        boris = Node(second, "boris")
        (lease,) = boris.claim()
        second.release([lease])
        assert heard.waits_for(lease.group_id)
        stop()


def _acts(node: Node) -> list[Callable[[], int]]:
    """Acts, each of which returns the group that must be heard of."""
    store = node.store
    clara = Node(store, "clara")
    released, buried = clara.claim(2)
    dead = Node(store, "clara", [buried])
    store.send(message_to(buried.group_id, "poison"))
    dead.commit(dead.settle("poison", "spam", dead=True))
    held = {node.group_id, released.group_id, buried.group_id}
    first, second, *_ = sorted(set(range(store.group_count)) - held)

    def send() -> int:
        return store.send(message_to(first)).group_id

    def start() -> int:
        return store.start([StartRequest("w", "r", second)])[0].group_id

    def release() -> int:
        store.release([released])
        return released.group_id

    def redrive() -> int:
        store.release([buried])
        return store.redrive(buried.group_id, "poison").group_id

    return [send, start, release, redrive]
