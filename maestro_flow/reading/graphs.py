"""The graphs that runs follow, each built once: versions of the catalog, and the bodies of their loops."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from maestro_flow.core.graph import Graph
from maestro_flow.errors import DefinitionError, NotFound
from maestro_flow.model.definition_codec import decode_definition
from maestro_flow.model.flow_id import FlowId
from maestro_flow.storage.protocol import Storage

__all__ = ["GraphCache"]

_GRAPHS_MAX = 1000
"""How many graphs are cached; flows keep their own graph anyway."""

_Key: TypeAlias = tuple[str, int, tuple[str, ...]]
"""Workflow, version, and the ids of the steps that lead to a body: all iterations of a loop share one graph."""


class GraphCache:
    """A cache in front of the catalog: a version never changes, so it is never stale. Thread-safe.

    Its methods raise:
        NotFound: the catalog has no such version, or the version no such loop.
        DefinitionError: this version of maestro-flow cannot read the stored definition.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._graphs: OrderedDict[_Key, Graph] = OrderedDict()
        self._lock = threading.Lock()

    def of_version(self, workflow_id: str, version: int) -> Graph:
        """The graph of a version of a workflow."""
        return self._cached((workflow_id, version, ()), lambda: self._read(workflow_id, version))

    def of_run(self, flow_id: str, version: int) -> Graph:
        """The graph that a run follows; for a child, ``version`` is that of its root, which has its body."""
        which = FlowId.parse(flow_id)
        workflow_id, path = which.root.workflow_id, which.path
        root = self.of_version(workflow_id, version)
        if not path:
            return root
        return self._cached((workflow_id, version, path), lambda: Graph.of(root.definition, version, path))

    def _cached(self, key: _Key, build: Callable[[], Graph]) -> Graph:
        with self._lock:
            if key in self._graphs:
                self._graphs.move_to_end(key)
                return self._graphs[key]
        graph = build()
        with self._lock:
            graph = self._graphs.setdefault(key, graph)
            if len(self._graphs) > _GRAPHS_MAX:
                self._graphs.popitem(last=False)
        return graph

    def _read(self, workflow_id: str, version: int) -> Graph:
        stored = self._storage.definition(workflow_id, version)
        if stored is None:
            raise NotFound(f"workflow {workflow_id!r} has no version {version} in the store")
        try:
            return Graph.of(decode_definition(stored.body), version)
        except (msgspec.MsgspecError, ValueError, LookupError) as error:
            problem = f"version {version} of workflow {workflow_id!r} in the store cannot be read by this maestro-flow"
            raise DefinitionError(f"{problem}: {error}") from error
