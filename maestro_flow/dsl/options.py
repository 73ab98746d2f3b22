"""The options of a step that is written in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any, TypeAlias, TypedDict, cast

from maestro_flow.dsl.limits import BACKOFF_S_MAX, RETRIES_MAX, TIMEOUT_S_MAX
from maestro_flow.dsl.place import Place, guess, listing, shown
from maestro_flow.model.definition import Backoff, RetryPolicy

__all__ = ["After", "StepOptions", "check_options", "make_retry_policy", "make_timeout"]

After: TypeAlias = "str | Callable[..., Any] | Iterable[str | Callable[..., Any]]"
"""Steps that must end first: ids, decorated functions, one or several."""

_EXPONENT_MAX = 100


class StepOptions(TypedDict, total=False):
    """What may be said of any step; all of it is optional."""

    after: After
    """The steps that must end first; an id may be that of a step that is added later."""
    retries: int
    """How often to try again when the step fails by an error; 0 by default."""
    retry_wait_s: float
    """Seconds before the first retry; 60 by default."""
    retry_backoff: float
    """Factor from one wait to the next; 2 by default."""
    retry_policy: RetryPolicy
    """All about retries, instead of the three above."""
    timeout_s: float | None
    """Seconds that one attempt may take."""
    name: str
    """For people."""
    description: str
    """For people."""


def check_options(given: Mapping[str, Any], place: Place) -> StepOptions:
    """The options, if they are such; a caller without a type checker may give others.

    Raises:
        DefinitionError: there is no such option.
    """
    known = list(StepOptions.__annotations__)
    for name in given:
        if name not in known:
            raise place.error(f"{name}= is no option of a step{guess(name, known)}; the options are {listing(known)}")
    return cast(StepOptions, given)


def make_retry_policy(options: StepOptions, place: Place) -> RetryPolicy:
    """The retry policy; waits grow to ten minutes (Maestro's default), or stay at a first wait that is longer.

    Raises:
        DefinitionError: a number is out of range, or there is a whole policy and something beside it.
    """
    numbers = [name for name in ("retries", "retry_wait_s", "retry_backoff") if name in options]
    if "retry_policy" in options:
        policy = options["retry_policy"]
        if not isinstance(policy, RetryPolicy):
            raise place.error(f"retry_policy={shown(policy)}; expected a RetryPolicy")
        if numbers:
            raise place.error(f"retry_policy= is all about retries; leave out {listing(numbers)}")
        return policy
    longest_s = 600  # Maestro's default
    retries = options.get("retries", 0)
    wait_s = options.get("retry_wait_s", 60)
    exponent = options.get("retry_backoff", 2)
    if type(retries) is not int or not 0 <= retries <= RETRIES_MAX:
        raise place.error(f"retries={shown(retries)}; expected a whole number from 0 to {RETRIES_MAX}")
    if not _is_number(wait_s) or not 0 <= wait_s <= BACKOFF_S_MAX:
        raise place.error(f"retry_wait_s={shown(wait_s)}; expected seconds from 0 to {BACKOFF_S_MAX}, a day")
    if not _is_number(exponent) or not 1 <= exponent <= _EXPONENT_MAX:
        raise place.error(f"retry_backoff={shown(exponent)}; expected a factor from 1 to {_EXPONENT_MAX}")
    return RetryPolicy(error_retry_limit=retries, error=Backoff(wait_s, exponent, max(wait_s, longest_s)))


def make_timeout(options: StepOptions, place: Place) -> float | None:
    """The timeout of one attempt in seconds, if there is one.

    Raises:
        DefinitionError: it is out of range.
    """
    timeout_s = options.get("timeout_s")
    if timeout_s is not None and not (_is_number(timeout_s) and 0 < timeout_s <= TIMEOUT_S_MAX):
        raise place.error(f"timeout_s={shown(timeout_s)}; expected seconds, more than 0 and at most 120 days")
    return timeout_s


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and isfinite(given)
