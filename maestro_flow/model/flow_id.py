"""The id of a flow: the one place where it is parsed and printed.

A flow id is text, in stores, logs, messages and dictionaries, and reads from the root down. Every part has three
segments, so it parses without knowing what stands in it, and no id of a workflow or a step contains a slash::

    etl/7/2                        run 2 of instance 7 of the workflow ``etl``
    etl/7/2/each_day/12/1          run 1 of iteration 12 of its step ``each_day``
    etl/7/2/each_day               that step: the parent of all its iterations

A child has its parent in its id. The run of a subworkflow does not: it is an instance of a workflow of its own, and its
entry in the index knows the step that has started it (``RunEntry.parent``).

These are msgspec structs, and parsed ids are cached, because every change of a queue parses one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from maestro_flow.errors import NotFound

__all__ = ["SYSTEM_PREFIX", "FlowId", "StepRef", "system_name"]

SYSTEM_PREFIX = "maestro_"
"""Workflows with such an id are the engine's own: no user's workflow can have it (``dsl.ids``)."""

_RUN = "[^/]+/[0-9]+/[0-9]+"
_FLOW = re.compile(f"((?:{_RUN}/)*[^/]+)/([0-9]+)/([0-9]+)").fullmatch
_STEP = re.compile(f"({_RUN}(?:/{_RUN})*)/([^/]+)").fullmatch


class FlowId(Struct, frozen=True):
    """See the module. ``workflow_id`` of a child is the step that it belongs to, as text (``StepRef``)."""

    workflow_id: str
    instance_id: int
    """Number of the instance; of a loop's child, the iteration."""
    run_id: int

    def __str__(self) -> str:
        return f"{self.workflow_id}/{self.instance_id}/{self.run_id}"

    @staticmethod
    @lru_cache(maxsize=4096)  # the id of a live run is parsed a dozen times, and soon after each other
    def parse(text: str) -> FlowId:
        """The inverse of ``str``.

        Raises:
            NotFound: the text is not the id of a flow.
        """
        found = _FLOW(text)
        if found is None:
            raise NotFound(f"{text!r} is not the id of a run: expected <workflow>/<instance>/<run>")
        return FlowId(found[1], int(found[2]), int(found[3]))

    @property
    def parent(self) -> StepRef | None:
        """The step whose child this flow is; None for a run of a workflow."""
        return StepRef.parse(self.workflow_id) if "/" in self.workflow_id else None

    @property
    def root(self) -> FlowId:
        """The run of a workflow that this flow is a part of: itself, unless it is a child."""
        return FlowId.parse("/".join(self.workflow_id.split("/", 3)[:3])) if "/" in self.workflow_id else self

    @property
    def path(self) -> tuple[str, ...]:
        """Ids of the steps that lead from the root to this flow, outermost first; empty for a root."""
        return tuple(self.workflow_id.split("/")[3::3])

    def step(self, step_id: str) -> StepRef:
        """A step of this flow."""
        return StepRef(str(self), step_id)

    def child(self, step_id: str, iteration: int, run_id: int = 1) -> FlowId:
        """A flow that a step of this one starts: one iteration of a loop, counted from 1."""
        return FlowId(str(self.step(step_id)), iteration, run_id)


class StepRef(Struct, frozen=True):
    """A step of a run; ``str`` prints it as ``<flow id>/<step id>``."""

    flow_id: str
    step_id: str

    def __str__(self) -> str:
        return f"{self.flow_id}/{self.step_id}"

    @classmethod
    def parse(cls, text: str) -> StepRef:
        """The inverse of ``str``.

        Raises:
            NotFound: the text is not the id of a step.
        """
        found = _STEP(text)
        if found is None:
            raise NotFound(f"{text!r} is not the id of a step: expected <workflow>/<instance>/<run>/<step>")
        return cls(found[1], found[2])


def system_name(flow_id: str) -> str:
    """The name of the engine's own flow of which this is a run, or the address; empty for the flows of users."""
    return flow_id.partition("/")[0] if flow_id.startswith(SYSTEM_PREFIX) else ""
