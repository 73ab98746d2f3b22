"""Step types are found by their entry points; one that cannot be used says which, where and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maestro_flow import StepType
from maestro_flow.errors import PluginError
from maestro_flow.model.definition import ForeachStep, StepKind, SubworkflowStep, TypedStep, WorkflowDefinition
from maestro_flow.steps import registry
from maestro_flow.steps.builtin import NoOp
from maestro_flow.steps.contract import CONTRACT
from maestro_flow.steps.python import PythonStep
from maestro_flow.steps.registry import StepTypes, known_step_types

Install = Callable[..., None]

GOOD = """
from maestro_flow import StepResult, StepType

class Good(StepType):
    def execute(self, context):
        return StepResult(value=1)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution into a folder of ``sys.path``: the source of its one module, and its step types."""

    def install(module: str, source: str, **step_types: str) -> None:
        metadata = tmp_path / f"{module}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        entries = (f"{name} = {value}" for name, value in step_types.items())
        (metadata / "entry_points.txt").write_text("\n".join(["[maestro_flow.step_types]", *entries]) + "\n")
        (tmp_path / f"{module}.py").write_text(source)
        registry._installed.cache_clear()

    monkeypatch.syspath_prepend(str(tmp_path))
    registry._installed.cache_clear()
    yield install
    registry._installed.cache_clear()


def find(step_type: str) -> StepType | None:
    return StepTypes().find("workflow", TypedStep("step", step_type))


def test_the_built_in_types_come_by_the_same_door() -> None:
    assert {"NoOp", "Sleep"} <= known_step_types()
    assert type(find("NoOp")) is NoOp


def test_an_installed_type_is_found_and_made_once(install: Install) -> None:
    install("plugin_good", GOOD, Good="plugin_good:Good")
    types, step = StepTypes(), TypedStep("step", "Good")
    found = types.find("workflow", step)
    assert type(found).__name__ == "Good"
    assert types.find("another", step) is found


def test_a_type_that_is_not_installed_is_lacking_and_no_error() -> None:
    assert find("Nowhere") is None


def test_to_know_a_type_imports_nothing(install: Install) -> None:
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


def test_an_abstract_class_says_what_it_lacks(install: Install) -> None:
    install("plugin_half", "from maestro_flow import StepType\nclass Half(StepType): ...", Half="plugin_half:Half")
    with pytest.raises(PluginError, match=r"cannot be loaded: .*abstract.*execute"):
        find("Half")


def test_something_else_than_a_step_type_is_refused(install: Install) -> None:
    install("plugin_other", "class Other: ...", Other="plugin_other:Other")
    with pytest.raises(PluginError, match=r"^step type 'Other' \(plugin_other:Other\) is not a maestro_flow StepType$"):
        find("Other")


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


def test_a_workflow_needs_what_the_bodies_of_its_loops_need() -> None:
    assert StepTypes().needs(loops()) == {"foreach", "subworkflow", "Nowhere", "NoOp", "w/function"}


def test_a_node_that_lacks_the_type_of_a_step_in_a_body_lacks_the_loop() -> None:
    types = StepTypes(kinds=[StepKind.FOREACH])
    assert types.lacking(loops()) == {"outer", "python", "call"}
    assert types.inline(loops()) == {"outer", "quiet", "python"}
    assert "foreach" in types.offered()
    types.add_functions("w", {"function": PythonStep(print, ())})
    assert types.lacking(loops()) == {"outer", "call"}


def test_a_node_that_cannot_run_composite_steps_lacks_them() -> None:
    assert StepTypes().lacking(loops()) == {"outer", "quiet", "python", "call"}
    assert StepTypes().inline(loops()) == set()
    assert not StepTypes().offered() & set(StepKind)


def test_a_plugin_in_the_body_of_a_loop_is_checked(install: Install) -> None:
    install("plugin_torn_inside", "import no_such_driver", TornInside="plugin_torn_inside:Torn")
    with pytest.raises(PluginError, match="TornInside"):
        StepTypes().check(WorkflowDefinition("w", (ForeachStep("loop", (TypedStep("a", "TornInside"),)),)))
