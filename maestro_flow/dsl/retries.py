"""The retry policy of a step (RetryPolicy.java, RetryPolicyParser.java)."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from maestro_flow.core.params.messages import preview
from maestro_flow.core.params.references import has_reference
from maestro_flow.dsl.durations import read_count, read_duration
from maestro_flow.dsl.limits import BACKOFF_S_MAX, RETRIES_MAX
from maestro_flow.dsl.location import Location
from maestro_flow.dsl.reader import Notes, expect_object, read_fields
from maestro_flow.model.definition import Backoff, BackoffKind, RetryPolicy

__all__ = ["check_retry_policy", "read_retry_policy"]

_FAILURES = ("error", "platform", "timeout")
_EXPONENT_MAX = 2**31 - 1


def read_retry_policy(given: Any, location: Location, notes: Notes) -> RetryPolicy:
    """A retry policy; absent fields have Maestro's defaults, numbers above a maximum are capped at it, with a warning.

    A string with references to params of the run is left as it is.

    Raises:
        DefinitionError: a field is unknown, is not a number (a wait: not a duration), or is negative.
    """
    fields, _ = read_fields(given, location, notes, "retry_policy")
    limits: dict[str, Any] = {
        name: _read_number(fields[name], location / name, notes, RETRIES_MAX)
        for name in (f"{failure}_retry_limit" for failure in _FAILURES)
        if name in fields
    }
    backoffs = _read_backoff(fields["backoff"], location / "backoff", notes) if "backoff" in fields else {}
    return evolve(RetryPolicy(), **limits, **backoffs)


def check_retry_policy(policy: RetryPolicy, location: Location) -> None:
    """Check that the numbers of a policy created in Python are in range, or are strings with references to params.

    Raises:
        DefinitionError: one of them is not.
    """
    for failure in _FAILURES:
        name = f"{failure}_retry_limit"
        _check_number(getattr(policy, name), location / name, RETRIES_MAX, is_whole=True)
        backoff: Backoff = getattr(policy, failure)
        here = location / failure
        _check_number(backoff.base_s, here / "base_s", BACKOFF_S_MAX)
        _check_number(backoff.exponent, here / "exponent", _EXPONENT_MAX)
        _check_number(backoff.limit_s, here / "limit_s", BACKOFF_S_MAX)


def _check_number(given: object, location: Location, maximum: int, *, is_whole: bool = False) -> None:
    if isinstance(given, str) and has_reference(given):
        return
    is_number = isinstance(given, int) or (isinstance(given, float) and not is_whole)
    if isinstance(given, int | float) and is_number and not isinstance(given, bool) and 0 <= given <= maximum:
        return
    what = "a whole number" if is_whole else "a number"
    raise location.error(
        f"expected {what} from 0 to {maximum}, or a string with references to params, got {preview(given)}"
    )


def _read_backoff(given: Any, location: Location, notes: Notes) -> dict[str, Any]:
    kind = _read_kind(expect_object(given, location).get("type"), location / "type")
    fixed = kind is BackoffKind.FIXED
    fields, _ = read_fields(given, location, notes, "fixed_backoff" if fixed else "exponential_backoff")
    backoffs: dict[str, Any] = {"kind": kind}
    for failure in _FAILURES:
        base: Backoff = Backoff(exponent=1, limit_s=BACKOFF_S_MAX) if fixed else getattr(RetryPolicy(), failure)
        base_s, exponent, limit_s = (
            f"{failure}_retry_{part}" for part in ("backoff_in_secs", "exponent", "limit_in_secs")
        )
        if base_s in fields:
            base = evolve(base, base_s=_read_wait(fields[base_s], location / base_s, notes))
        if exponent in fields:
            base = evolve(base, exponent=_read_number(fields[exponent], location / exponent, notes, _EXPONENT_MAX))
        if limit_s in fields:
            base = evolve(base, limit_s=_read_wait(fields[limit_s], location / limit_s, notes))
        backoffs[failure] = base
    return backoffs


def _read_kind(given: Any, location: Location) -> BackoffKind:
    try:
        return BackoffKind(str(given).upper())
    except ValueError:
        raise location.error(f"expected EXPONENTIAL_BACKOFF or FIXED_BACKOFF, got {preview(given)}") from None


def _read_number(given: Any, location: Location, notes: Notes, maximum: int) -> int | str:
    if isinstance(given, str) and has_reference(given):
        return given
    number = read_count(given, location)
    if number < 0:
        raise location.error(f"{preview(given)} is negative; expected 0 to {maximum}")
    return int(_cut(number, location, notes, maximum))


def _read_wait(given: Any, location: Location, notes: Notes) -> float | str:
    if isinstance(given, str) and has_reference(given):
        return given
    return _cut(read_duration(given, location), location, notes, BACKOFF_S_MAX)


def _cut(number: float, location: Location, notes: Notes, maximum: int) -> float:
    if number > maximum:
        notes.warn(location, f"{number:g} is capped at the maximum, {maximum}")
    return min(number, maximum)
