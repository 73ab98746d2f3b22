"""Flow ids: what is printed is parsed again, a child knows its parent, and what is not an id is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_flow.errors import NotFound
from maestro_flow.model.flow_id import FlowId, StepRef, system_name

NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
NUMBERS = st.integers(1, 2**63 - 1)


@st.composite
def flow_ids(draw: st.DrawFn) -> FlowId:
    flow_id = FlowId(draw(NAMES), draw(NUMBERS), draw(NUMBERS))
    for _ in range(draw(st.integers(0, 3))):
        flow_id = flow_id.child(draw(NAMES), draw(NUMBERS), draw(NUMBERS))
    return flow_id


@given(flow_ids())
def test_what_is_printed_is_parsed_again(flow_id: FlowId) -> None:
    assert FlowId.parse(str(flow_id)) == flow_id


@given(flow_ids(), NAMES, NUMBERS, NUMBERS)
def test_a_child_knows_its_parent_and_its_root(flow_id: FlowId, step_id: str, iteration: int, run_id: int) -> None:
    child = FlowId.parse(str(flow_id.child(step_id, iteration, run_id)))
    parent = child.parent
    assert parent is not None
    assert parent == flow_id.step(step_id) == StepRef.parse(str(parent))
    assert (child.instance_id, child.run_id) == (iteration, run_id)
    assert child.root == flow_id.root
    assert child.root.parent is None
    assert child.path == (*flow_id.path, step_id)
    assert child.root.path == ()


def test_only_the_engines_own_flows_are_of_the_system() -> None:
    assert system_name(str(FlowId("maestro_permits", 1, 1))) == "maestro_permits"
    assert [system_name(name) for name in ("maestro_x", "maestro_x/1/2", "etl/1/1")] == ["maestro_x", "maestro_x", ""]
    assert not system_name(str(FlowId("etl", 1, 1).child("maestro_like", 1)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "etl",
        "etl/1",
        "etl/one/1",
        "etl/1/1/load",
        "etl/1/1/2/3",
        "etl/x/1/each/1/1",
        "etl/1/1/each/1/1/",
        "/1/1",
        "etl/1/-1",
        "etl/1/\u0663",
    ],
)
def test_what_is_not_the_id_of_a_flow_is_refused(text: str) -> None:
    with pytest.raises(NotFound, match="is not the id of a run"):
        FlowId.parse(text)


@pytest.mark.parametrize("text", ["", "etl", "etl/1/1", "etl/1/1/", "etl/1/1/load/2", "etl/x/1/load", "etl//1/1/load"])
def test_what_is_not_the_id_of_a_step_is_refused(text: str) -> None:
    with pytest.raises(NotFound, match="is not the id of a step"):
        StepRef.parse(text)
