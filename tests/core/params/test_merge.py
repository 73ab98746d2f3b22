"""Changes of params by mode and source, against an oracle that was written from the tables of the reference (3.12)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from maestro_flow.core.params.error_context import ErrorContext
from maestro_flow.core.params.merge import merge_params
from maestro_flow.errors import ParamError
from maestro_flow.model.params import Param, ParamMode, ParamSource, ParamType
from maestro_flow.model.requests import RunPolicy, RunRequest
from tests.core.params.scene import begun, flow, sel, values

CONTEXT = ErrorContext("w/3/1", "a")
ALLOWED = {
    # mode                     launch restart output
    "MUTABLE": (True, True, True),
    "MUTABLE_ON_START_RESTART": (True, True, False),
    "MUTABLE_ON_START": (True, False, False),
    "IMMUTABLE": (False, False, False),
    "CONSTANT": (False, False, False),
}
SOURCES = [ParamSource.LAUNCH, ParamSource.RESTART, ParamSource.OUTPUT_PARAMETER]
MODES = list(ALLOWED)


def long(value: int, mode: str = "MUTABLE") -> Param:
    return Param(ParamType.LONG, value, ParamMode(mode))


def merged(base: Param, change: Param, source: ParamSource = ParamSource.LAUNCH) -> Param:
    return merge_params({"p": base}, {"p": change}, source, CONTEXT)["p"]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("mode", MODES)
def test_which_source_may_change_which_mode(mode: str, source: ParamSource) -> None:
    if ALLOWED[mode][SOURCES.index(source)]:
        assert merged(long(1, mode), long(2), source) == replace(long(2, mode), source=source)
    else:
        with pytest.raises(ParamError, match=rf"param 'p' \(LONG\): it is {mode} and cannot be changed .*not 2"):
            merged(long(1, mode), long(2), source)
    assert merged(long(1, mode), long(1), source) == long(1, mode), "a change that changes nothing is allowed"


@pytest.mark.parametrize("new", MODES)
@pytest.mark.parametrize("old", MODES)
def test_a_change_may_make_a_param_stricter_and_never_looser(old: str, new: str) -> None:
    is_stricter = MODES.index(new) > MODES.index(old)
    if new in ("MUTABLE", old) or (is_stricter and ALLOWED[old][0]):
        expected = replace(long(1, max(old, new, key=MODES.index)))
        assert replace(merged(long(1, old), long(1, new)), source=ParamSource.DEFINITION) == expected
    else:
        wrong = "cannot be changed at a start" if is_stricter else f"cannot become {new}, which is looser"
        with pytest.raises(ParamError, match=wrong):
            merged(long(1, old), long(1, new))


KEYS = st.sampled_from("abc")
ENTRIES = st.recursive(
    st.tuples(st.integers(0, 2), st.sampled_from(MODES)),
    lambda inner: st.tuples(st.dictionaries(KEYS, inner, max_size=3), st.sampled_from(MODES)),
)
Entry = tuple[Any, str]


def built(entry: Entry) -> Param:
    value, mode = entry
    if isinstance(value, dict):
        return Param(ParamType.MAP, {key: built(item) for key, item in value.items()}, ParamMode(mode))
    return long(value, mode)


class RefusedError(Exception):
    pass


def oracle(old: Entry, change: Any, place: int, least: str = "MUTABLE") -> Entry:
    """The merge of plain values, by the table: a change is judged at the leaf that it changes."""
    value, own = old
    mode = max(own, least, key=MODES.index)
    if isinstance(value, dict) != isinstance(change, dict):
        raise RefusedError
    if not isinstance(value, dict):
        if value != change and not ALLOWED[mode][place]:
            raise RefusedError
        return change, own
    made = dict(value)
    for key, item in change.items():
        made[key] = oracle(value[key], item, place, mode) if key in value else plain_entry(item)
    if made.keys() != value.keys() and not ALLOWED[mode][place]:
        raise RefusedError
    if made != value and not ALLOWED[mode][place]:
        raise RefusedError
    return made, own


def plain_entry(item: Any) -> Entry:
    if isinstance(item, dict):
        return {key: plain_entry(each) for key, each in item.items()}, "MUTABLE"
    return item, "MUTABLE"


def plain_param(item: Any) -> Param:
    return built(plain_entry(item))


CHANGES = st.recursive(st.integers(0, 2), lambda inner: st.dictionaries(KEYS, inner, max_size=3))


@given(st.dictionaries(KEYS, ENTRIES, max_size=3), st.dictionaries(KEYS, CHANGES, max_size=3), st.sampled_from(SOURCES))
def test_maps_are_merged_to_their_depth(old: dict[str, Entry], change: dict[str, Any], source: ParamSource) -> None:
    base = {key: built(entry) for key, entry in old.items()}
    try:
        expected = {**old, **{k: oracle(old[k], v, SOURCES.index(source)) if k in old else plain_entry(v)
                              for k, v in change.items()}}  # fmt: skip
    except RefusedError:
        with pytest.raises(ParamError):
            merge_params(base, {key: plain_param(item) for key, item in change.items()}, source, CONTEXT)
        return
    found = merge_params(base, {key: plain_param(item) for key, item in change.items()}, source, CONTEXT)
    assert {key: bare(param) for key, param in found.items()} == expected


def bare(param: Param) -> Entry:
    if isinstance(param.value, dict):
        return {key: bare(entry) for key, entry in param.value.items()}, param.mode.value
    return param.value, param.mode.value


@pytest.mark.parametrize(
    ("old", "change", "value"),
    [
        (long(1), Param(ParamType.STRING, "7"), 7),
        (Param(ParamType.STRING, "a"), long(7), "7"),
        (Param(ParamType.STRING_MAP, {"a": "1"}), Param(ParamType.STRING_MAP, {"b": "3"}), {"a": "1", "b": "3"}),
        (Param(ParamType.STRING_MAP, {"a": "1"}), Param(ParamType.MAP, {"b": 3}), {"a": "1", "b": "3"}),
        (Param(ParamType.MAP, {"a": 1}), Param(ParamType.STRING_MAP, {"a": "5"}), {"a": 5}),
        (Param(ParamType.LONG_ARRAY, [1, 2]), Param(ParamType.LONG_ARRAY, [3]), [3]),
        (sel("LONG", "1 + 1"), long(7), 7),
    ],
)  # fmt: skip
def test_a_change_gets_the_type_of_what_it_changes(old: Param, change: Param, value: Any) -> None:
    found = merged(old, change)
    assert (found.type, found.plain, found.expression) == (old.type, value, None)


def test_an_expression_takes_the_place_of_a_value() -> None:
    assert merged(long(1, "MUTABLE_ON_START"), sel("LONG", "2")) == Param(
        ParamType.LONG, None, ParamMode.MUTABLE_ON_START, "2", ParamSource.LAUNCH
    )


def test_a_change_of_another_type() -> None:
    with pytest.raises(ParamError, match=r"step 'a': param 'p' \(LONG\): a change \"x\" does not fit the type LONG"):
        merged(long(1), Param(ParamType.STRING, "x"))


@pytest.mark.parametrize("mode", MODES)
def test_a_restart_keeps_what_was_there_but_evaluates_what_is_immutable_again(mode: str) -> None:
    params = {"p": sel("STRING", "params.getFromInstance('RUN_POLICY')", mode=ParamMode(mode)), "t": "$$p"}
    first = begun(flow(params))
    request = RunRequest(policy=RunPolicy.RESTART_FROM_BEGINNING, params={"new": Param(ParamType.LONG, 1)})
    second = begun(replace(flow(params), previous=first), request)
    is_again = mode == "IMMUTABLE"
    assert values(second.params) == {
        "p": "RESTART_FROM_BEGINNING" if is_again else "START_FRESH_NEW_RUN", "t": "$p", "new": 1
    }  # fmt: skip
    assert second.params["new"].source is ParamSource.RESTART


def test_what_was_given_at_the_start_is_kept_and_a_restart_may_change_it() -> None:
    start = RunRequest(params={"p": Param(ParamType.STRING, "a$$b"), "q": Param(ParamType.LONG, 2)})
    first = begun(flow({"p": "x"}), start)
    again = RunRequest(policy=RunPolicy.RESTART_FROM_INCOMPLETE, params={"q": Param(ParamType.LONG, 3)})
    assert values(begun(replace(flow({"p": "x"}), previous=first), again).params) == {"p": "a$b", "q": 3}
