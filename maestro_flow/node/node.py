"""A node: everything that one process runs on a store, wired together, and nothing else."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from maestro_flow.actors.base import post
from maestro_flow.actors.executors import Executors
from maestro_flow.actors.group import GroupActor
from maestro_flow.actors.messages import LookAgain, Received, TakeUp
from maestro_flow.actors.pooled import PooledRuntime
from maestro_flow.actors.runtime import Runtime, Timer
from maestro_flow.actors.services import Held, Services
from maestro_flow.actors.step_support import why_unsupported
from maestro_flow.actors.threaded import ThreadedRuntime
from maestro_flow.clock import Clock, Environment
from maestro_flow.config.settings import Settings
from maestro_flow.core.graph import Graph
from maestro_flow.core.system_flow import SystemFlows
from maestro_flow.core.workflow_queue import Question
from maestro_flow.errors import Closed, MaestroFlowError, StorageFailed, StorageUnavailable
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Owner
from maestro_flow.model.runs import PendingRun
from maestro_flow.node.acknowledgements import StartAcknowledgements
from maestro_flow.node.health import StoreHealth
from maestro_flow.node.journal import GroupCommitJournal
from maestro_flow.node.loader import Loader
from maestro_flow.node.ownership import Keeper, OwnedGroup, StoreClock
from maestro_flow.node.relay import Relay
from maestro_flow.reading.flows import FlowReader
from maestro_flow.steps.executors import Executor, ExecutorHost, open_executor
from maestro_flow.steps.registry import StepTypes
from maestro_flow.storage.process import this_process
from maestro_flow.storage.protocol import Storage
from maestro_flow.system.registry import SYSTEM_FLOWS

__all__ = ["Node", "make_runtime"]

logger = logging.getLogger("maestro_flow.node")

_PURGE_EVERY_S = 3600.0

_OPENERS = 4
_OPEN_AGAIN_S = 60.0
"""Delay between two attempts to open a step type."""

_SCAN_APART_S = 0.1
"""Minimum time between a scan and one triggered by a hint."""


def make_runtime(name: str, clock: Clock) -> Runtime:
    """The runtime that the setting names."""
    return ThreadedRuntime(clock) if name == "threaded" else PooledRuntime(clock)


class Node:
    """The actors of the groups that this process holds, and their services.

    ``announce`` is called with a flow's id, and whether it has ended, when a commit of it is durable; ``wake_waiters``
    when the store has failed and there will be no more announcements.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        reader: FlowReader,
        settings: Settings,
        environment: Environment,
        runtime: Runtime,
        announce: Callable[[str, bool], None],
        wake_waiters: Callable[[], None],
        step_types: StepTypes,
    ) -> None:
        self.owner = Owner(environment.new_id(), this_process())
        self._storage, self._settings, self._runtime, self._reader = storage, settings, runtime, reader
        self._wake_waiters = wake_waiters
        self._pid = os.getpid()
        self._timing = threading.Lock()
        self._health = StoreHealth(runtime.clock, self._store_has_failed)
        self._journal = GroupCommitJournal(runtime, storage, self._health, batch_max=settings.batch_max)
        acknowledged = StartAcknowledgements(storage, runtime.clock)
        self._system_flows = SystemFlows(SYSTEM_FLOWS, storage.group_count)
        self._loader = Loader(
            runtime,
            storage,
            reader,
            health=self._health,
            journal=self._journal,
            acknowledged=acknowledged,
            system_flows=self._system_flows,
        )
        self._relay = Relay(runtime, storage, self._health, self._bring)
        store_clock = StoreClock(runtime.clock)
        self._keeper = Keeper(
            runtime,
            storage,
            settings=settings,
            owner=self.owner,
            store_clock=store_clock,
            open_group=self._open_group,
            look_at=self._loader.look_at,
            acknowledged=acknowledged,
            offers=step_types.offered,
            wake=self._scan_soon,
        )
        self._openers = runtime.workers("plugins", _OPENERS)
        self._services = self._shared(step_types, store_clock, acknowledged, environment.new_id, announce)
        step_types.open_soon = self._open_soon
        self._scan = runtime.service("ownership", self._tick)
        self._purge_at = runtime.clock.monotonic() + _PURGE_EVERY_S
        self._closed = False
        self._next_scan: Timer | None = None
        self._scanned_at = float("-inf")
        self._scan.wake()
        self._stop_listening = storage.listen(self._hear)

    def _shared(
        self,
        step_types: StepTypes,
        store_clock: StoreClock,
        acknowledged: StartAcknowledgements,
        new_id: Callable[[], str],
        announce: Callable[[str, bool], None],
    ) -> Services:
        """The services that the actors share."""
        return Services(
            runtime=self._runtime,
            journal=self._journal,
            executors=Executors(self._open_executor, suspects_max=self._settings.suspects_max),
            step_types=step_types,
            settings=self._settings,
            now=store_clock.now,
            new_id=new_id,
            announce=announce,
            acknowledged=acknowledged,
            load_again=self._load_again,
            receive_again=self._receive_again,
            bring=self._bring,
            held=self._held,
            forward=self._relay.forward,
            system_flows=self._system_flows,
            answer=self._answer,
            unblock=self._unblock,
        )

    def wait_until_serving(self, timeout_s: float) -> bool:
        """Wait until the first scan has finished and every group that it claimed is loaded; False after the timeout."""
        ready = self._runtime.event()

        def look() -> None:
            is_loaded = all(owned.is_serving for owned in self._keeper.groups.values())
            if (self._keeper.has_scanned and is_loaded) or self._health.failure:
                ready.set()
            elif not self._closed:
                self._runtime.call_later(0.002, look)

        self._runtime.call_soon(look)
        return ready.wait(timeout_s)

    @property
    def is_forked(self) -> bool:
        """Whether this is a copy in a forked process: it has no threads, and the leases belong to its parent."""
        return os.getpid() != self._pid

    def check(self) -> None:
        """Check that the node can work.

        Raises:
            Closed: this process is a fork of the one that has the node.
            StorageFailed: the store has failed for good, and this node runs nothing any longer.
        """
        if self.is_forked:
            raise Closed("this Engine was created before a fork and runs in the parent; create a new one here")
        self._health.check()

    def unsupported(self, graph: Graph) -> dict[str, str]:
        """The steps that this node cannot run, and why."""
        return why_unsupported(graph, self._services.step_types, self._services.executors)

    def serving_groups(self) -> list[int]:
        """Ids of the groups that are held and loaded here."""
        return sorted(group_id for group_id, owned in self._keeper.groups.items() if owned.is_serving)

    def take_up(self, started: Sequence[PendingRun]) -> None:
        """The fast path after a start: tell the groups that are held here; a scan finds the other runs.

        The runs are durable, so nothing is raised: a run whose definition cannot be read now is left to the scan, too.
        """
        groups, told = self._keeper.groups, []
        for run in started:
            owned = groups.get(run.group_id)
            if owned is not None and owned.is_serving:
                with suppress(MaestroFlowError):
                    told.append((owned, TakeUp(*self._reader.take_up(run))))
        self._post(told)

    def look_for_messages(self, group_id: int) -> None:
        """The fast path after a message was sent."""
        if owned := self._serving(group_id):
            self._runtime.call_soon(lambda: self._loader.look_at(owned))

    def look_again(self) -> None:
        """Step code was added: steps that waited for it may start."""
        self._post([(owned, LookAgain()) for owned in self._keeper.groups.values()])

    def close(self) -> None:
        """Hand over, release, and stop; user code that still runs is cancelled and not waited for."""
        self._stop_listening()
        try:
            if self._health.failure is None:
                self._keeper.close()
        finally:
            self._closed = True
            for closeable in (
                self._health,
                self._scan,
                self._journal,
                self._loader,
                self._relay,
                self._services.executors,
                self._openers,
                self._services.step_types,
            ):
                closeable.close()

    def _post(self, messages: Sequence[tuple[OwnedGroup, TakeUp | LookAgain]]) -> None:
        """Tell groups, from a user's thread."""

        def call() -> None:
            for owned, message in messages:
                post(owned.ref, message)

        self._runtime.call_soon(call)

    def _open_executor(self, name: str) -> Executor:
        threads, queue_max = self._settings.executor_threads, self._settings.executor_queue_max
        settings = {"threads": threads, "queue_max": queue_max, **self._settings.executors.get(name, {})}
        return open_executor(name, ExecutorHost(self._services.step_types.perform, self._runtime.workers, settings))

    def _open_soon(self, name: str) -> None:
        """Open a step type on a thread that may block. Steps that waited for it may start then."""

        def job() -> None:
            try:
                self._services.step_types.open(name)
            except BaseException:
                logger.exception("steps of type %s wait: it cannot be opened here, and is tried again", name)
                self._runtime.call_later(_OPEN_AGAIN_S, lambda: self._open_soon(name))
            else:
                self.look_again()

        if not self._closed:
            self._openers.submit(job)

    def _open_group(self, held: Held) -> OwnedGroup:
        ref = self._runtime.spawn(GroupActor, self._services, held)
        owned = OwnedGroup(held, ref, self._runtime.clock.monotonic())
        self._loader.open(owned)
        return owned

    def _load_again(self, held: Held, flow_id: str) -> None:
        if owned := self._owned(held):
            self._loader.load_again(owned, flow_id)

    def _receive_again(self, held: Held) -> None:
        if owned := self._owned(held):
            self._loader.receive_again(owned)

    def _serving(self, group_id: int) -> OwnedGroup | None:
        owned = self._keeper.groups.get(group_id)
        return owned if owned is not None and owned.is_serving else None

    def _held(self, group_id: int) -> Held | None:
        owned = self._serving(group_id)
        return None if owned is None else owned.held

    def _bring(self, message: Message) -> None:
        """The fast path of a message that was just written: its group may be held here.

        For a system flow, the inbox is read instead: an earlier message from another process may still be unread.
        """
        if owned := self._serving(message.group_id):
            if message.flow_id in self._system_flows and not message.is_in_transit:
                self._loader.look_at(owned)
            else:
                post(owned.ref, Received((message,)))

    def _answer(self, held: Held, question: Question) -> None:
        if owned := self._owned(held):
            self._loader.answer(owned, question)

    def _unblock(self, held: Held, restart: str, previous: str) -> None:
        if owned := self._owned(held):
            self._loader.unblock(owned, restart, previous)

    def _owned(self, held: Held) -> OwnedGroup | None:
        owned = self._keeper.groups.get(held.lease.group_id)
        return owned if owned is not None and owned.held is held else None

    def _hear(self, group_id: int) -> None:
        """A hint from the store: messages for a group of ours, or another group that may be free now."""
        if self._keeper.holds(group_id):
            self.look_for_messages(group_id)
        else:
            self._scan_soon()

    def _scan_soon(self) -> None:
        """Scan early, but not too often: others may send many hints."""
        if not self._closed:
            wait_s = self._scanned_at + _SCAN_APART_S - self._runtime.clock.monotonic()
            self._scan_in(max(0.0, wait_s))

    def _scan_in(self, wait_s: float) -> None:
        """Reset the scan's only timer."""
        with self._timing:
            if self._next_scan is not None:
                self._next_scan.cancel()
            self._next_scan = self._runtime.call_later(wait_s, self._scan.wake)

    def _tick(self) -> None:
        if self._closed:
            return
        self._scanned_at = self._runtime.clock.monotonic()
        try:
            if self._health.failure is None and not self._keeper.is_closed:
                self._keeper.tick()
                self._purge()
                self._health.answered()
        except StorageUnavailable as error:
            self._health.away(error)
        except StorageFailed as error:
            self._health.fail(error)
        finally:  # whatever happened, another scan follows, unless the store has failed
            if self._health.failure is None:
                self._scan_in(self._settings.scan_interval_s)
            else:
                self._keeper.abandon_all("the store has failed")

    def _store_has_failed(self) -> None:
        self._scan.wake()  # the keeper's thread gives the groups up
        self._wake_waiters()

    def _purge(self) -> None:
        now = self._runtime.clock.monotonic()
        if now >= self._purge_at:
            self._purge_at = now + _PURGE_EVERY_S
            self._storage.purge_messages(settled_before=self._services.now() - self._settings.tombstones_s)
