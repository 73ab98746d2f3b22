"""Step types are found by their entry points; one that cannot be used says which, where and why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from maestro_flow import StepType
from maestro_flow.actors.executors import Executors
from maestro_flow.actors.step_support import StepSupport, support_of
from maestro_flow.core.graph import Graph
from maestro_flow.errors import PluginError
from maestro_flow.model.definition import ForeachStep, StepKind, SubworkflowStep, TypedStep, WorkflowDefinition
from maestro_flow.steps.builtin import NoOp
from maestro_flow.steps.contract import CONTRACT
from maestro_flow.steps.executors import Executor, ExecutorHost
from maestro_flow.steps.loading import describe_installed, known_step_types
from maestro_flow.steps.python import PythonStep
from maestro_flow.steps.registry import StepTypes
from maestro_flow.steps.threads import ThreadExecutor
from maestro_flow.steps.version1 import Version1
from maestro_flow.steps.workers import Ticket
from tests.steps.conftest import Install

GOOD = """
from maestro_flow import StepResult, StepType

class Good(StepType):
    def execute(self, context):
        return StepResult(value=1)
"""


def find(step_type: str) -> StepType | None:
    return StepTypes().find("workflow", TypedStep("step", step_type))


def test_built_in_types_are_found_like_any_other() -> None:
    assert {"NoOp", "Sleep"} <= known_step_types()
    assert type(find("NoOp")) is NoOp


def test_an_installed_type_is_found_and_made_once(install: Install) -> None:
    install("plugin_good", GOOD, Good="plugin_good:Good")
    types, step = StepTypes(), TypedStep("step", "Good")
    found = types.find("workflow", step)
    assert isinstance(found, Version1)
    assert type(found.step_type).__name__ == "Good"
    assert types.find("another", step) is found


def test_a_type_that_is_not_installed_is_unsupported_which_is_not_an_error() -> None:
    assert find("Nowhere") is None


def test_listing_types_imports_nothing(install: Install) -> None:
    install("plugin_loud", "raise RuntimeError('imported')", Loud="plugin_loud:Loud")
    assert "Loud" in known_step_types()


def test_a_plugin_that_cannot_be_imported_says_why(install: Install) -> None:
    install("plugin_torn", "import no_such_driver", Torn="plugin_torn:Torn")
    with pytest.raises(PluginError, match=r"^step type 'Torn' \(plugin_torn:Torn\) cannot be loaded: .*no_such_driver"):
        find("Torn")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("", "AttributeError"),
        ("def Odd(): raise OSError('no licence')", "no licence"),
        ("raise SystemError('deep')", "deep"),
    ],
    ids=["missing class", "broken constructor", "broken module"],
)
def test_whatever_a_plugin_does_wrong_is_a_plugin_error(install: Install, source: str, problem: str) -> None:
    name = f"plugin_odd_{problem.replace(' ', '_')}"
    install(name, source, Odd=f"{name}:Odd")
    with pytest.raises(PluginError, match=rf"step type 'Odd' \({name}:Odd\) cannot be loaded: .*{problem}"):
        find("Odd")


def test_the_error_of_an_abstract_class_names_the_missing_method(install: Install) -> None:
    install("plugin_half", "from maestro_flow import StepType\nclass Half(StepType): ...", Half="plugin_half:Half")
    with pytest.raises(PluginError, match=r"cannot be loaded: .*abstract.*execute"):
        find("Half")


def test_something_else_than_a_step_type_is_refused(install: Install) -> None:
    install("plugin_other", "class Other: ...", Other="plugin_other:Other")
    with pytest.raises(PluginError, match=r"^step type 'Other' \(plugin_other:Other\) is not a maestro_flow StepType$"):
        find("Other")


WITH_PARAMS = """
from maestro_flow import ParamSpec, ParamType, StepResult, StepType

class Sql(StepType):
    \"\"\"Runs a statement.

    And more.
    \"\"\"

    contract = 2
    executor = "pool"
    params = (ParamSpec("sql", ParamType.STRING, required=True, description="the statement"),)

    def execute(self, context):
        return StepResult(value=1)
"""


def test_what_is_installed_can_be_shown(install: Install) -> None:
    install("plugin_sql", WITH_PARAMS, Sql="plugin_sql:Sql")
    install("plugin_gone", "import no_such_driver", Gone="plugin_gone:Gone")
    install("plugin_first", GOOD, First="plugin_first:Good")
    found = {kind.name: kind for kind in describe_installed()}
    assert (found["Sql"].package, found["Sql"].contract, found["Sql"].executor) == ("plugin_sql 1.0", 2, "pool")
    assert found["Sql"].description == "Runs a statement."
    assert [spec.name for spec in found["Sql"].params] == ["sql"]
    assert (found["First"].contract, found["First"].params, found["First"].executor) == (1, (), "threads")
    assert "no_such_driver" in found["Gone"].problem
    assert found["NoOp"].executor == ""


def test_params_that_are_declared_in_another_way_are_refused(install: Install) -> None:
    install("plugin_loose", f"{GOOD}    contract = 2\n    params = ['sql']\n", Loose="plugin_loose:Good")
    with pytest.raises(PluginError, match=r"^step type 'Loose' .* declares params that are not of the class ParamSpec"):
        find("Loose")


def test_settings_for_a_type_that_takes_none_are_refused(install: Install) -> None:
    install("plugin_plain", GOOD, Plain="plugin_plain:Good")
    with pytest.raises(PluginError, match=r"^step type 'Plain' takes no settings, but step_types\.Plain has some"):
        StepTypes({"Plain": {"url": "x"}}).find("workflow", TypedStep("step", "Plain"))


def test_a_plugin_for_another_contract_says_which_and_what_to_do(install: Install) -> None:
    install("plugin_new", f"{GOOD}    contract = {CONTRACT + 1}\n", New="plugin_new:Good")
    with pytest.raises(PluginError) as refused:
        find("New")
    assert str(refused.value) == (
        f"step type 'New' (plugin_new:Good) is written for contract {CONTRACT + 1}, "
        f"this version has contract {CONTRACT}: install a matching release of the plugin"
    )


def loops() -> WorkflowDefinition:
    """A loop of a loop of a type that is not there, a loop of what the engine runs itself, and a subworkflow."""
    missing = ForeachStep("inner", (TypedStep("deep", "Nowhere"),))
    python = TypedStep("function", "Python")
    steps = (ForeachStep("outer", (missing,)), ForeachStep("quiet", (TypedStep("a", "NoOp"),)), SubworkflowStep("call"))
    return WorkflowDefinition("w", (*steps, ForeachStep("python", (python,))))


class NoWorkers:
    """Threads that nobody uses."""

    def submit(self, job: Callable[[], None]) -> Ticket:
        raise AssertionError(job)

    def close(self) -> None: ...


def support(types: StepTypes) -> StepSupport:
    """What a node with these types can do of ``loops``."""

    def opening(name: str) -> Executor:
        return ThreadExecutor(ExecutorHost(types.perform, lambda *_pool: NoWorkers(), {"threads": 1, "queue_max": 1}))

    return support_of(Graph.of(loops(), 1), types, Executors(opening, suspects_max=1))


def test_a_workflow_needs_what_the_bodies_of_its_loops_need() -> None:
    assert StepTypes().needs(loops()) == {"foreach", "subworkflow", "Nowhere", "NoOp", "w/function"}


def test_a_loop_with_an_unsupported_step_in_its_body_is_unsupported() -> None:
    types = StepTypes(kinds=[StepKind.FOREACH])
    assert support(types).unsupported == {"outer", "python", "call"}
    assert support(types).inline == {"outer", "quiet", "python"}
    assert "foreach" in types.offered()
    types.add_functions("w", {"function": PythonStep(print, ())})
    assert support(types).unsupported == {"outer", "call"}


def test_composite_steps_that_a_node_cannot_run_are_unsupported() -> None:
    assert support(StepTypes()).unsupported == {"outer", "quiet", "python", "call"}
    assert support(StepTypes()).inline == set()
    assert not StepTypes().offered() & set(StepKind)


def test_a_plugin_in_the_body_of_a_loop_is_checked(install: Install) -> None:
    install("plugin_torn_inside", "import no_such_driver", TornInside="plugin_torn_inside:Torn")
    with pytest.raises(PluginError, match="TornInside"):
        StepTypes().check(WorkflowDefinition("w", (ForeachStep("loop", (TypedStep("a", "TornInside"),)),)))
