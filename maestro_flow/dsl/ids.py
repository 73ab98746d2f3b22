"""Which ids and names are legal (MaestroIdConstraint.java, MaestroReferenceIdConstraint.java, Constants.java)."""

from __future__ import annotations

import re
from typing import Any

from maestro_flow.core.params.messages import preview
from maestro_flow.dsl.limits import ID_CHARS_MAX
from maestro_flow.dsl.location import Location

__all__ = ["check_param_name", "check_step_id", "check_tag_name", "check_workflow_id"]

_WORKFLOW_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)

_RESERVED_PARAMS = frozenset(
    """
    maestro Maestro MAESTRO scheduler Scheduler SCHEDULER util Util UTIL params Params PARAMS AUTH_BLOB AUTH_DATA
    AUTH_ACTING_ON_BEHALF_OF_BLOB AUTH_TRIGGERING_ON_BEHALF_OF_BLOB AUTHORIZED_MANAGERS
    """.split()  # noqa: SIM905 - a list of words reads better without the quotes
)


def check_workflow_id(given: Any, location: Location) -> str:
    """The id of a workflow.

    Raises:
        DefinitionError: it is not text, or not legal.
    """
    return _check(given, location, _WORKFLOW_ID, "a workflow id starts with a letter, a digit or '_'")


def check_step_id(given: Any, location: Location) -> str:
    """The id of a step; ``__`` joins a step and its param in expressions, so no id may contain it.

    Raises:
        DefinitionError: it is not text, or not legal.
    """
    return _check_reference(given, location, "a step id")


def check_tag_name(given: Any, location: Location) -> str:
    """The name of a tag: any printable text; names that start with ``maestro_`` are reserved for the engine's limits.

    Raises:
        DefinitionError: it is not such text, or is reserved.
    """
    if not isinstance(given, str) or not given or len(given) > ID_CHARS_MAX or not given.isprintable():
        raise location.error(
            f"{preview(given)} is not a valid tag name; expected 1 to {ID_CHARS_MAX} printable characters"
        )
    if given.lower().startswith("maestro_"):
        raise location.error(f"{preview(given)} is not legal: names that start with 'maestro_' are reserved")
    return given


def check_param_name(given: Any, location: Location) -> str:
    """The name of a param.

    Raises:
        DefinitionError: it is not text, not legal, or reserved.
    """
    name = _check_reference(given, location, "a param name")
    if name in _RESERVED_PARAMS:
        raise location.error(f"the param name {name!r} is reserved; choose another one")
    return name


def _check_reference(given: Any, location: Location, what: str) -> str:
    word = _check(given, location, _REFERENCE, f"{what} starts with a letter or '_'")
    if "__" in word:
        raise location.error(f"{preview(word)} is not legal: {what} must not contain '__'")
    return word


def _check(given: Any, location: Location, pattern: re.Pattern[str], rule: str) -> str:
    if not isinstance(given, str) or not given:
        raise location.error(f"expected non-empty text, got {preview(given)}")
    if len(given) > ID_CHARS_MAX:
        raise location.error(f"{preview(given)} has {len(given)} characters; at most {ID_CHARS_MAX} are allowed")
    if not pattern.fullmatch(given):
        raise location.error(
            f"{preview(given)} is not legal: {rule}, and contains only letters, digits, '.', '-' and '_'"
        )
    if given.lower().startswith("maestro_") or given.lower().endswith("_maestro"):
        raise location.error(
            f"{preview(given)} is not legal: names that start with 'maestro_' or end with '_maestro' are reserved"
        )
    return given
