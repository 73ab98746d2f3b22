"""The value codec: what goes in comes out, and what would not is refused with its place and an advice."""

from __future__ import annotations

import json
from collections import OrderedDict, namedtuple
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import IntEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_flow.errors import ValueNotStorable
from maestro_flow.model.values import DEPTH_MAX, decode_value, encode_value

KB = 1024
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.uuids(),
    st.datetimes(timezones=st.none() | OFFSETS).map(lambda moment: moment.replace(fold=0)),
)
KEYS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["$t", "v", "$", "datetime"])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)


def encode(value: Any, limit_bytes: int = 1000 * KB) -> bytes:
    return encode_value(value, limit_bytes=limit_bytes, where="result of step 'x'")


def refusal(value: Any, limit_bytes: int = 1000 * KB) -> str:
    with pytest.raises(ValueNotStorable) as refused:
        encode(value, limit_bytes)
    return str(refused.value)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    back = decode_value(encode(value))
    assert back == value
    assert repr(back) == repr(value)  # tells 1 from True and 1.0, and -0.0 from 0.0


@given(VALUES)
def test_what_is_written_is_json(value: Any) -> None:
    json.loads(encode(value))


@given(VALUES, st.integers(0, 300))
def test_the_limit_is_the_exact_size(value: Any, limit: int) -> None:
    size = len(encode(value))
    if size <= limit:
        assert len(encode(value, limit)) == size
    else:
        assert f"larger than the limit of {limit} bytes" in refusal(value, limit)


def test_the_form_of_each_tag() -> None:
    moment = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    assert encode(moment) == b'{"$t":"datetime","v":"2026-11-22T23:59:00+00:00"}'
    assert encode(b"ab") == b'{"$t":"bytes","v":"YWI="}'
    assert encode(Decimal("1.10")) == b'{"$t":"decimal","v":"1.10"}'
    assert encode(UUID(int=1)) == b'{"$t":"uuid","v":"00000000-0000-0000-0000-000000000001"}'
    assert encode({"$t": "uuid"}) == b'{"$t":"dict","v":{"$t":"uuid"}}'


def test_a_tuple_becomes_a_list() -> None:
    assert decode_value(encode({"a": (1, (2,))})) == {"a": [1, [2]]}


class Colour(IntEnum):
    RED = 1


class Text(str):
    __slots__ = ()


class BadZone(tzinfo):
    def utcoffset(self, moment: datetime | None) -> timedelta:
        raise RuntimeError("no offset today")

    dst = tzname = utcoffset  # type: ignore[assignment]


class BadRepr:
    def __repr__(self) -> str:
        raise RuntimeError


Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - as user code has it
LOOP: list[Any] = []
LOOP.append(LOOP)

REFUSED = [
    ({"a": [0, 1, 2, {1}]}, "at $.a[3]: a value of type builtins.set cannot be stored; return a list instead"),
    (float("nan"), "result of step 'x': nan is not a valid JSON number; return None"),
    ([float("-inf")], "at $[0]: -inf is not a valid JSON number"),
    (2**63, "an int of more than 64 bits cannot be stored; return it as str or Decimal"),
    ([-(2**63) - 1], "at $[0]: an int of more than 64 bits"),
    ("\ud800", "lone surrogate is not valid text; return it as bytes"),
    ({"\udfff": 1}, "lone surrogate"),
    ({1: 2}, "the key 1 is not a str; convert it: str(...)"),
    ({"a": {None: 2}}, "at $.a: the key None is not a str"),
    ({"a b": {"c": {BadRepr(): 2}}}, "at $['a b'].c: the key of type BadRepr is not a str"),
    (date(2026, 1, 1), "datetime.date cannot be stored; return a string instead: .isoformat()"),
    (timedelta(1), "return its seconds instead: .total_seconds()"),
    (bytearray(b"a"), "return bytes(...) instead"),
    ((n for n in [1]), "builtins.generator cannot be stored; return a list instead: list(...)"),
    (object(), "builtins.object cannot be stored; None, bool, int, float, str, list, dict with str keys, datetime"),
    (Colour.RED, "Colour cannot be stored; convert it: int(...)"),
    (Text("a"), "Text cannot be stored; convert it: str(...)"),
    (Pair(1, 2), "Pair cannot be stored; convert it: tuple(...)"),
    (OrderedDict(), "collections.OrderedDict cannot be stored; convert it: dict(...)"),
    (Decimal("NaN"), "the Decimal NaN is not a number"),
    (
        datetime(2026, 1, 1, tzinfo=BadZone()),
        "this datetime cannot be written as text: RuntimeError('no offset today')",
    ),
    (nested(DEPTH_MAX + 1), "nested more than 100 levels deep, or it contains itself"),
    (LOOP, "nested more than 100 levels deep, or it contains itself"),
    ("x" * 2000 * KB, "larger than the limit of 1,024,000 bytes as JSON; keep it elsewhere"),
    ({"long key " * 20: object()}, "$['long key long key long key long key long key long key lo...]: a value of"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_what_cannot_be_stored_is_refused_with_its_place_and_an_advice(value: Any, message: str) -> None:
    refused = refusal(value)
    assert refused.startswith("result of step 'x'")
    assert message in refused


def test_the_deepest_value_that_is_allowed() -> None:
    assert decode_value(encode(nested(DEPTH_MAX))) == nested(DEPTH_MAX)


def test_a_huge_value_is_refused_before_it_is_walked() -> None:
    seen = []

    class Spy(dict[str, int]):
        def items(self) -> Any:
            seen.append("walked")
            return super().items()

    refusal([Spy()] * 1000 * KB)
    assert seen == []


def test_a_value_that_shares_its_parts_a_billion_times_is_refused_early() -> None:
    value: list[Any] = [0] * 10
    for _ in range(60):
        value = [value] * 10
    assert "larger than the limit" in refusal(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b'{"$t":"complex","v":"1j"}',
        b'{"$t":"uuid","v":"1"}',
        b'{"$t":"uuid"}',
        b'{"$t":"decimal","v":"x"}',
        b'{"$t":"decimal","v":[1]}',
        b'{"$t":"dict","v":1}',
        b'{"$t":"bytes","v":"?"}',
        b'{"$t":[],"v":1}',
    ],
)
def test_bytes_that_no_encoder_wrote_are_refused(data: bytes) -> None:
    with pytest.raises(ValueNotStorable):
        decode_value(data)


@given(st.binary())
def test_reading_raises_nothing_else(data: bytes) -> None:
    with suppress(ValueNotStorable):
        decode_value(data)
