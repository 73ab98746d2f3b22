"""Workflows in Python.

::

    wf = Workflow("etl", params={"day": "2026-11-22"})

    @wf.step
    def extract(day: str) -> list[int]:
        return [1, 2, 3]

    @wf.step(after=extract, retries=3)
    def load(extract: list[int]) -> int:
        return sum(extract)

A parameter receives the result of the upstream step of that name, direct or indirect, or the workflow's param of that
name; ``context`` receives the step's ``StepContext``. A decorated function is unchanged: call it in a unit test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, Unpack, overload

from attrs import evolve, frozen

from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.dsl.concurrency import read_concurrency
from maestro_flow.dsl.edges import Edges
from maestro_flow.dsl.graph import check_graph, check_params_size
from maestro_flow.dsl.ids import check_step_id, check_workflow_id
from maestro_flow.dsl.limits import BUILDER_STEPS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX
from maestro_flow.dsl.location import Location
from maestro_flow.dsl.names import check_names
from maestro_flow.dsl.options import (
    StepOptions,
    check_options,
    make_retry_policy,
    make_strategy,
    make_tags,
    make_timeout,
)
from maestro_flow.dsl.params import take_params
from maestro_flow.dsl.reader import expect_text
from maestro_flow.dsl.signature import CONTEXT, Upstream, check_function, find_arguments, name_of
from maestro_flow.dsl.steps import check_type, read_failure_mode
from maestro_flow.model.definition import FailureMode, RunStrategy, Tag, TypedStep, WorkflowDefinition
from maestro_flow.steps.python import PYTHON, PythonStep

__all__ = ["Workflow"]

_F = TypeVar("_F", bound=Callable[..., Any])


@frozen
class _Step:
    """A step as it was added; its successors are known only once all steps have been added."""

    definition: TypedStep
    location: Location
    after: Mapping[str, bool | str]
    function: Callable[..., Any] | None


@frozen
class _Built:
    definition: WorkflowDefinition
    functions: Mapping[str, PythonStep]


class Workflow:
    """A workflow whose steps are Python functions (``step``), or of any other step type (``add``).

    ``params`` are plain values (str, int, float, bool, a list of one of these, or a dict): those of a run, unless it is
    started with others. Strings may refer to other params, ``$name`` or ``${name}``, and ``$$`` is a dollar sign; a
    ``Param`` may have an expression. ``timeout_s`` limits a run: seconds, or a string with references to params.

    ``run_strategy`` says how runs of the workflow relate: the name of a rule such as ``"sequential"``, how many run in
    parallel, or a ``RunStrategy``; by default they do not wait for each other. ``step_concurrency`` limits the steps of
    all runs that are active at once, ``instance_step_concurrency`` those of one run. ``tags`` apply to all steps.

    Raises:
        DefinitionError: an id, a string or a param is not legal.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - Maestro's word
        *,
        params: Mapping[str, Any] | None = None,
        name: str = "",
        description: str = "",
        owner: str = "",
        timeout_s: float | str | None = None,
        run_strategy: str | int | RunStrategy = RunStrategy(),  # noqa: B008 - immutable
        step_concurrency: int | None = None,
        instance_step_concurrency: int | None = None,
        tags: Iterable[str | Tag] = (),
    ) -> None:
        self.id = check_workflow_id(id, Location("workflow"))
        self._location = Location(f"workflow {self.id!r}")
        self._params = take_params(params or {}, self._location / "params")
        check_params_size(self._params, self._location / "params")
        if CONTEXT in self._params:
            raise (self._location / "params" / CONTEXT).error(
                "a parameter of this name receives the StepContext; rename it"
            )
        self._limits: dict[str, Any] = {
            "timeout_s": make_timeout(timeout_s, self._location),
            "run_strategy": make_strategy(run_strategy, self._location / "run_strategy"),
            "step_concurrency": _limit(step_concurrency, self._location / "step_concurrency"),
            "instance_step_concurrency": _limit(
                instance_step_concurrency, self._location / "instance_step_concurrency"
            ),
            "tags": make_tags(tags, self._location),
        }
        self._name = expect_text(name, self._location / "name", NAME_CHARS_MAX)
        self._description = expect_text(description, self._location / "description", TEXT_CHARS_MAX)
        self._owner = expect_text(owner, self._location / "owner", NAME_CHARS_MAX)
        self._steps: dict[str, _Step] = {}
        self._edges = Edges()
        self._built: _Built | None = None

    def __repr__(self) -> str:
        return f"Workflow({self.id!r}, {len(self._steps)} steps)"

    @overload
    def step(self, function: _F, /) -> _F: ...

    @overload
    def step(
        self, function: None = None, /, *, id: str | None = None, **options: Unpack[StepOptions]
    ) -> Callable[[_F], _F]: ...

    def step(self, function: Any = None, /, *, id: str | None = None, **options: Any) -> Any:  # noqa: A002
        """Make a function a step: ``@wf.step`` or ``@wf.step(after=extract, retries=3)``. Returns it unchanged.

        ``id`` defaults to the function's name; the options are those of ``StepOptions``.

        Raises:
            DefinitionError: the id is not legal or is taken, an option is not legal, or the function cannot be called
                as a step (async, a generator, ``*args``). Where its parameters come from is checked by ``definition``.
        """

        def register(function: _F) -> _F:
            step_id = name_of(function, self._location) if id is None else id
            location = self._location_of(step_id)
            check_function(function, location)
            self._add(step_id, PYTHON, {}, check_options(options, location), function)
            self._edges.register(function, step_id)
            return function

        return register if function is None else register(function)

    def add(
        self,
        id: str,  # noqa: A002
        *,
        type: str,  # noqa: A002
        params: Mapping[str, Any] | None = None,
        **options: Unpack[StepOptions],
    ) -> str:
        """Add a step of an installed type: ``wf.add("wait", type="Sleep", params={"sleep_seconds": 5}, after=load)``.

        ``params`` are plain values. Returns the id, for the ``after`` of other steps.

        Raises:
            DefinitionError: the id, a param or an option is not legal, or the id is taken.
        """
        if type == PYTHON:
            raise self._location_of(id).error("a step of type 'Python' is a function: use @wf.step")
        return self._add(id, type, params or {}, check_options(options, self._location_of(id)), None)

    @property
    def definition(self) -> WorkflowDefinition:
        """The definition that is pushed: built and checked now, the same for the same steps and params.

        Raises:
            DefinitionError: a step refers to one that does not exist, there is a cycle, or a parameter has no source.
        """
        return self._build().definition

    @property
    def functions(self) -> Mapping[str, PythonStep]:
        """The functions by step id, each with the sources of its arguments.

        Raises:
            DefinitionError: as ``definition``.
        """
        return self._build().functions

    def _location_of(self, step_id: Any) -> Location:
        return Location(f"{self._location.path}, step {preview(step_id)}")

    def _add(
        self,
        step_id: str,
        type_name: str,
        params: Mapping[str, Any],
        options: StepOptions,
        function: Callable[..., Any] | None,
    ) -> str:
        location = self._location_of(step_id)
        check_step_id(step_id, location)
        if step_id in self._steps:
            raise location.error("there is already a step with this id; pass another id=")
        if step_id in self._params:
            raise location.error("there is also a param of this name, so a parameter could mean either; rename one")
        if step_id == CONTEXT:
            raise location.error("a parameter of this name receives the StepContext; choose another id")
        step_params = take_params(params, location / "params", of_step=True)
        check_params_size(step_params, location / "params")
        definition = TypedStep(
            id=step_id,
            type=check_type(type_name, location / "type", None),
            name=expect_text(options.get("name", ""), location / "name", NAME_CHARS_MAX),
            description=expect_text(options.get("description", ""), location / "description", TEXT_CHARS_MAX),
            params=step_params,
            retry_policy=make_retry_policy(options, location),
            timeout_s=make_timeout(options.get("timeout_s"), location),
            failure_mode=read_failure_mode(
                options.get("failure_mode", FailureMode.FAIL_AFTER_RUNNING), location / "failure_mode"
            ),
            tags=make_tags(options.get("tags", ()), location),
        )
        after = self._edges.read(options, location)
        if step_id in after:
            raise location.error("a step cannot come after itself")
        self._steps[step_id] = _Step(definition, location, after, function)
        self._built = None
        return step_id

    def _build(self) -> _Built:
        if self._built is None:
            definition = self._define()
            self._built = _Built(definition, MappingProxyType(self._bind()))
        return self._built

    def _define(self) -> WorkflowDefinition:
        successors: dict[str, dict[str, bool | str]] = {step_id: {} for step_id in self._steps}
        for step_id, step in self._steps.items():
            for predecessor, condition in step.after.items():
                if predecessor not in successors:
                    hint = did_you_mean(predecessor, self._steps)
                    raise step.location.error(f"after={predecessor!r}: there is no such step{hint}")
                successors[predecessor][step_id] = condition
        steps = list(self._steps.values())
        definition = WorkflowDefinition(
            id=self.id,
            steps=tuple(evolve(step.definition, successors=successors[step.definition.id]) for step in steps),
            name=self._name,
            description=self._description,
            owner=self._owner,
            params=self._params,
            **self._limits,
        )
        check_graph(definition, BUILDER_STEPS_MAX, self._location, lambda index: steps[index].location)
        check_names(definition, self._location, lambda index: steps[index].location, _ignore)
        return definition

    def _bind(self) -> dict[str, PythonStep]:
        upstream = Upstream({step_id: step.after for step_id, step in self._steps.items()})
        return {
            step_id: PythonStep(
                step.function, find_arguments(step.function, step_id, step.location, upstream, self._params)
            )
            for step_id, step in self._steps.items()
            if step.function is not None
        }


def _ignore(_location: Location, _text: str) -> None:
    """A name that nothing defines may be given at the start, so it is not an error; nowhere to show a warning."""


def _limit(given: object, location: Location) -> int | None:
    return None if given is None else read_concurrency(given, location)
