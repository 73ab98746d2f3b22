"""Definitions of the catalog as graphs, each read and made once."""

from __future__ import annotations

import threading
from collections import OrderedDict

import msgspec

from maestro_flow.core.graph import Graph
from maestro_flow.errors import DefinitionError, NotFound
from maestro_flow.model.definition_codec import decode_definition
from maestro_flow.storage.protocol import Storage

__all__ = ["Library"]

_GRAPHS_MAX = 1000
"""Versions kept in memory; flows keep the graph that they use anyway."""


class Library:
    """A cache in front of the catalog: a version never changes, so it is never stale. Thread-safe."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._graphs: OrderedDict[tuple[str, int], Graph] = OrderedDict()
        self._lock = threading.Lock()

    def graph(self, workflow_id: str, version: int) -> Graph:
        """The graph of one version.

        Raises:
            NotFound: the catalog has no such version.
            DefinitionError: what is stored there cannot be read by this version of maestro-flow.
        """
        key = (workflow_id, version)
        with self._lock:
            if key in self._graphs:
                self._graphs.move_to_end(key)
                return self._graphs[key]
        stored = self._storage.definition(workflow_id, version)
        if stored is None:
            raise NotFound(f"workflow {workflow_id!r} has no version {version} in the store")
        try:
            graph = Graph.of(decode_definition(stored.body), version)
        except (msgspec.MsgspecError, ValueError, LookupError) as error:
            problem = f"version {version} of workflow {workflow_id!r} in the store cannot be read by this maestro-flow"
            raise DefinitionError(f"{problem}: {error}") from error
        with self._lock:
            graph = self._graphs.setdefault(key, graph)
            if len(self._graphs) > _GRAPHS_MAX:
                self._graphs.popitem(last=False)
        return graph
