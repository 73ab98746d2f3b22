"""A client of a store: it pushes workflows, starts, lists and follows runs, and runs no step itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from attrs import evolve
from msgspec.structs import replace

from maestro_flow.client.run import Run
from maestro_flow.client.session import Session
from maestro_flow.client.strategy_switch import check_switch
from maestro_flow.client.tag_permits import limit_message
from maestro_flow.clock import Clock, Environment, Event, ThreadEvent
from maestro_flow.config.configuration import Configuration
from maestro_flow.core.graph import Graph
from maestro_flow.core.placement import place_run
from maestro_flow.dsl.builder import Workflow
from maestro_flow.dsl.start import parse_params, parse_step_params
from maestro_flow.errors import NotFound, SettingsError
from maestro_flow.model.definition import WorkflowDefinition
from maestro_flow.model.definition_codec import encode_definition
from maestro_flow.model.flow_id import FlowId, system_name
from maestro_flow.model.requests import RunRequest, encode_request
from maestro_flow.model.runs import RunEntry, StartRequest
from maestro_flow.model.status import LIVE_RUN_STATUSES, RunStatus
from maestro_flow.reading.pages import all_dead_letters, all_runs
from maestro_flow.storage.open import open_storage
from maestro_flow.storage.protocol import RunQuery, Storage
from maestro_flow.system.registry import SYSTEM_FLOWS
from maestro_flow.verify.store import Verification, verify
from maestro_flow.views.dead_letters import DeadLetter
from maestro_flow.views.tag_permits import TagPermit, read_tag_permits

__all__ = ["Client"]

_PAGE = 500


class Client:
    """What any process may do with a store. A context manager; call ``close`` otherwise.

    ``store`` is a URL, a ``Storage`` that the caller closes, or None for the URL in the environment or in
    ``maestro-flow.toml``, see ``Configuration``. ``namespace`` selects a separate store in the same database. A missing
    store is created; without ``create`` it is a StorageUnusable.

    Raises:
        SettingsError, PluginError, StorageUnusable, SchemaMismatch, StorageUnavailable: see ``open_storage``.
    """

    def __init__(
        self,
        store: str | Storage | None = None,
        *,
        namespace: str | None = None,
        create: bool = True,
        environment: Environment | None = None,
        new_event: Callable[[], Event] = ThreadEvent,
    ) -> None:
        environment = environment or Environment()
        self._owns_storage = store is None or isinstance(store, str)
        self.storage: Storage = _opened(store, namespace, environment.clock, create=create)
        self._session = Session(self.storage, environment, new_event, owner=type(self).__name__)
        self._closing = threading.RLock()  # reentrant: a signal handler may call close during a close

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store, if the client has opened it. Thread-safe and idempotent; waiters for a run get ``Closed``.

        An engine stops its node first: active attempts are recorded as handed over, and continue in the next engine.
        """
        with self._closing:
            if not self._session.is_closed:
                self._before_close()
                self._session.close()
                self._close_storage()

    def _before_close(self) -> None:
        """Hook, called before the store closes."""

    def _close_storage(self) -> None:
        if self._owns_storage:
            self.storage.close()

    # -- definitions --------------------------------------------------------------------------------------------

    def push(self, workflow: Workflow | WorkflowDefinition) -> int:
        """Store a definition; returns its version. The same content again is the same version.

        Raises:
            DefinitionError: the workflow is not a legal definition.
            Conflict: it switches the run strategy, and the existing runs do not allow that now.
        """
        self.check()
        definition = workflow.definition if isinstance(workflow, Workflow) else workflow
        check_switch(self._session, definition)
        return self.storage.push(definition.id, encode_definition(definition))

    def definition(self, workflow_id: str, version: int | None = None) -> WorkflowDefinition:
        """A stored definition; the latest version if none is named.

        Raises:
            NotFound: there is none.
        """
        return self._graph(workflow_id, version).definition

    # -- runs ---------------------------------------------------------------------------------------------------

    def start(
        self,
        workflow_id: str,
        *,
        params: Mapping[str, Any] | None = None,
        step_params: Mapping[str, Mapping[str, Any]] | None = None,
        breakpoints: Collection[str] = (),
        version: int | None = None,
        request_id: str | None = None,
    ) -> Run:
        """Start an instance of a pushed workflow; durable when this returns, whichever node will run it.

        ``params`` are plain values, or ``Param``; so are ``step_params``, by step id. The steps of ``breakpoints`` are
        paused before they begin, until they are resumed. The same ``request_id`` again returns the same run.

        Raises:
            NotFound: there is no such workflow or version, or no such step for a breakpoint.
            DefinitionError: a param does not fit the definition, or it is for an unknown step.
            Conflict: the request id was used with other params.
            ValueNotStorable: NUL or a lone surrogate is in the request id.
            StorageUnavailable: the store does not answer, and may have accepted the start: repeat it with the same
                ``request_id``.
            StorageFailed: see ``check``.
        """
        (run,) = self.start_many(
            workflow_id,
            [params or {}],
            step_params=step_params,
            breakpoints=breakpoints,
            version=version,
            request_ids=[request_id],
        )
        return run

    def start_many(
        self,
        workflow_id: str,
        params: Sequence[Mapping[str, Any]],
        *,
        step_params: Mapping[str, Mapping[str, Any]] | None = None,
        breakpoints: Collection[str] = (),
        version: int | None = None,
        request_ids: Sequence[str | None] | None = None,
    ) -> list[Run]:
        """Start an instance for each set of params, all or none of them, in one durable write. See ``start``.

        ``step_params`` and ``breakpoints`` apply to each of them.
        """
        self.check()
        graph, groups = self._graph(workflow_id, version), self._session.groups()
        common = RunRequest(
            step_params=parse_step_params(graph.definition, step_params or {}),
            breakpoints=graph.known(breakpoints),
        )
        requests = []
        for given, request_id in zip(params, request_ids or [None] * len(params), strict=True):
            # A request id of our own needs no protection against a second use with another body.
            key = request_id if request_id is not None else self._session.environment.new_id()
            body = encode_request(replace(common, params=parse_params(graph.definition.params, given)))
            group_id = place_run(graph.definition, key, groups, self.storage.group_count)
            requests.append(StartRequest(workflow_id, key, group_id, version, body))
        started = self.storage.start(requests)
        self._session.started([given_run for given_run in started if given_run.fresh])
        return [Run(self._session, given_run) for given_run in started]

    def find(self, workflow_id: str, instance_id: int | None = None, run_id: int | None = None) -> Run:
        """A run of a workflow; by default the latest run of the latest instance.

        Raises:
            NotFound: there is no such run.
        """
        if system_name(workflow_id):
            entries: list[RunEntry] = []  # a flow of the engine itself is not shown as a run
        else:
            entries = self.storage.list_runs(RunQuery(workflow_id=workflow_id, instance_id=instance_id, limit=1))
        if run_id is not None and entries:
            entry = self.storage.run(str(FlowId(workflow_id, entries[0].instance_id, run_id)))
            entries = [entry] if entry else []
        if not entries:
            wanted = "".join(f"/{part}" for part in (instance_id, run_id) if part is not None)
            raise NotFound(f"there is no run {workflow_id}{wanted} in the store")
        return Run(self._session, entries[0])

    def runs(
        self,
        workflow_id: str | None = None,
        statuses: Collection[RunStatus] = (),
        limit: int = 100,
        before: tuple[float, str] | None = None,
        parent: str | None = None,
    ) -> list[RunEntry]:
        """A page of runs, newest first; ``before`` is (created_at, flow_id) of the last run of the previous page.

        ``parent`` selects the runs that a step has started: ``<workflow>/<instance>/<run>/<step>``. Without it and
        without ``workflow_id``, only runs that no step has started are listed.
        """
        query = RunQuery(
            workflow_id=workflow_id, parent=parent, statuses=frozenset(statuses), before=before, limit=limit
        )
        return self._listed(query)

    def unfinished(self) -> list[Run]:
        """All unfinished runs in the store, newest first, except those that a step has started."""
        entries = all_runs(self.storage, RunQuery(statuses=LIVE_RUN_STATUSES, limit=_PAGE))
        return [Run(self._session, entry) for entry in entries if not system_name(entry.flow_id)]

    # -- limits on tags -----------------------------------------------------------------------------------------

    def set_tag_permit(self, tag: str, limit: int | None) -> None:
        """Let at most ``limit`` steps with the tag be active at once; durable when this returns.

        It overrides the definitions; None restores the limits that they have. Only steps whose definition limits the
        tag ask for permits, and a step that holds one keeps it: lowering a limit takes effect as steps end. A node
        handles it before the permit requests of runs that are started later.

        Raises:
            SettingsError: the tag is not text that can be stored, or the limit is below 0.
            StorageUnavailable: it may not have been set.
        """
        self._session.send(limit_message(tag, limit, self.storage.group_count, self._session.environment.new_id()))

    def tag_permits(self) -> dict[str, TagPermit]:
        """All tags with a limit that was set, with steps that hold a permit, or with steps that wait for one."""
        return read_tag_permits(self.storage)

    # -- diagnosis -----------------------------------------------------------------------------------------------

    def verify(self, *, live: bool = True, grace_s: float = 30.0) -> Verification:
        """Check the invariants that the store can show, while nodes run on it; see ``Verification``.

        It reads the log of every run. ``live`` also checks that whatever should progress does: that groups with live
        runs have an owner, starts are taken up and timeouts kept, at most ``grace_s`` seconds late.

        Raises:
            StorageUnavailable, StorageFailed: the store cannot be read.
            DefinitionError: a definition in it cannot be read by this version.
        """
        self.check()
        return verify(self.storage, self._session.graphs, SYSTEM_FLOWS, live=live, grace_s=grace_s)

    def dead_letters(self) -> list[DeadLetter]:
        """Messages that several owners failed to handle, set aside; oldest first within a group.

        An action that becomes a dead letter is refused, and its caller gets the reason.
        """
        return [DeadLetter.of(message) for message in all_dead_letters(self.storage)]

    def redrive(self, message_id: str) -> None:
        """Let a dead letter be handled once more, as if it had just been sent; durable when this returns.

        Raises:
            NotFound: no dead letter has this id.
        """
        self.check()
        # A message that is being forwarded to another group may be dead in both; it is redriven in both.
        found = [message for message in all_dead_letters(self.storage) if message.message_id == message_id]
        if not found:
            raise NotFound(f"there is no dead letter {message_id!r} in the store")
        for message in found:
            self.storage.redrive(message.group_id, message_id)

    def check(self) -> None:
        """Raise an error if the client cannot be used any more, or if the node of an engine cannot work any more.

        Raises:
            Closed: it was closed, or is an engine that was created before a fork; open the store with a new one.
            StorageFailed: the engine's store has failed permanently; close the engine, repair the store, open a new
                engine.
        """
        self._session.check()

    # -- parts ---------------------------------------------------------------------------------------------------

    def _graph(self, workflow_id: str, version: int | None) -> Graph:
        if version is None:
            stored = self.storage.definition(workflow_id)
            if stored is None:
                raise NotFound(f"there is no workflow {workflow_id!r} in the store: push it first")
            version = stored.version
        return self._session.graphs.of_version(workflow_id, version)

    def _listed(self, query: RunQuery) -> list[RunEntry]:
        """A page of runs, without the flows of the engine itself; only the last page is shorter than the limit."""
        found = self.storage.list_runs(query)
        shown = [entry for entry in found if not system_name(entry.flow_id)]
        if len(shown) == len(found):
            return found
        last, left = found[-1], query.limit - len(shown)
        return shown + self._listed(evolve(query, before=(last.created_at, last.flow_id), limit=left))


def _opened(store: str | Storage | None, namespace: str | None, clock: Clock, *, create: bool) -> Storage:
    if store is None or isinstance(store, str):
        return open_storage(Configuration.read().store_url(store, namespace), clock, create=create)
    if namespace is not None:
        raise SettingsError(f"namespace={namespace!r} is for a URL: a store that is open already has its own")
    return store
