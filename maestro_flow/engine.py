"""The engine: a client of the store that is also a node. One per process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from maestro_flow.actors.runtime import Runtime
from maestro_flow.client.client import Client
from maestro_flow.client.run import Run
from maestro_flow.clock import Environment
from maestro_flow.config.configuration import Configuration
from maestro_flow.dsl.builder import Workflow
from maestro_flow.model.definition import WorkflowDefinition
from maestro_flow.node.node import Node, make_runtime
from maestro_flow.steps.registry import StepTypes
from maestro_flow.storage.protocol import Storage

__all__ = ["Engine"]

logger = logging.getLogger("maestro_flow.engine")


class Engine(Client):
    """Runs the workflows of a store in this process, and takes over the runs of processes that died.

    ``store`` and ``namespace`` as in ``Client``. Settings are keywords, see ``Settings``; the others come from the
    environment or from ``maestro-flow.toml``, see ``Configuration``. ``runtime`` may also be a runtime object, such as
    the inline one, which the caller closes. Construction claims the free groups and loads their runs. An engine cannot
    be used in a forked process, which creates its own.

    Raises:
        SettingsError, PluginError, StorageUnusable, SchemaMismatch, StorageUnavailable.
    """

    def __init__(
        self,
        store: str | Storage | None = None,
        *,
        namespace: str | None = None,
        environment: Environment | None = None,
        runtime: Runtime | str | None = None,
        **settings: Any,
    ) -> None:
        if isinstance(runtime, str):
            settings["runtime"] = runtime
        chosen = Configuration.read().settings(settings)
        environment = environment or Environment()
        self._step_types = StepTypes(chosen.step_types)
        self._own_runtime: Runtime | None = None
        with ExitStack() as undo:  # closes what was opened, if something fails
            if runtime is None or isinstance(runtime, str):
                runtime = self._own_runtime = make_runtime(chosen.runtime, environment.clock)
                undo.callback(runtime.close)
            super().__init__(store, namespace=namespace, environment=environment, new_event=runtime.event)
            undo.callback(self._close_storage)
            self._node = Node(
                self.storage,
                reader=self._session.reader,
                settings=chosen,
                environment=environment,
                runtime=runtime,
                announce=self._session.hints.announce,
                wake_waiters=self._session.hints.wake_all,
                step_types=self._step_types,
            )
            undo.callback(self._node.close)
            self._session.node = self._node
            is_serving = self._node.wait_until_serving(chosen.scan_s)
            undo.pop_all()
        if is_serving and not self._node.serving_groups():
            logger.info("other nodes hold all groups now: this one gets its share as they release it")

    def _before_close(self) -> None:
        if self._node.is_forked:
            return  # the threads and leases belong to the process that created it
        try:
            self._node.close()
        finally:
            if self._own_runtime is not None:
                self._own_runtime.close()

    def push(self, workflow: Workflow | WorkflowDefinition) -> int:
        """Store a definition, and make the functions of a Python workflow runnable here. See ``Client.push``.

        Raises:
            PluginError: a step's type is installed here and cannot be used. (One that is not installed may run
                elsewhere.)
            DefinitionError: also if the params of a step are not what its type declares.
        """
        definition = workflow.definition if isinstance(workflow, Workflow) else workflow
        self._step_types.check(definition)
        self._step_types.open_all(definition)
        version = super().push(workflow)
        if isinstance(workflow, Workflow) and workflow.functions:
            self._step_types.add_functions(workflow.definition.id, workflow.functions)
            self._node.look_again()
        return version

    def run(
        self,
        workflow: Workflow | WorkflowDefinition,
        *,
        params: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        timeout_s: float | None = None,
    ) -> Run:
        """Push, start, and wait until the run has ended, however it ended.

        Raises:
            WaitTimeout: it has not ended after ``timeout_s`` seconds; it is still active.
            DefinitionError, Conflict: see ``push`` and ``start``.
        """
        version = self.push(workflow)
        workflow_id = workflow.definition.id if isinstance(workflow, Workflow) else workflow.id
        run = self.start(workflow_id, params=params, version=version, request_id=request_id)
        run.wait(timeout_s)
        return run
