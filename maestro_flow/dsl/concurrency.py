"""How many runs and steps go on at once: run strategies, limits of steps, tags (RunStrategy.java, Tag.java)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_flow.dsl.durations import read_count
from maestro_flow.dsl.ids import check_tag_name
from maestro_flow.dsl.limits import CONCURRENCY_MAX, PARALLEL_DEFAULT
from maestro_flow.dsl.place import Place, guess, listing, shown
from maestro_flow.dsl.reader import Notes, expect_list, expect_text, read_fields
from maestro_flow.model.definition import RunRule, RunStrategy, Tag

__all__ = ["keep_attributes", "limit_runs", "read_concurrency", "read_rule", "read_run_strategy", "read_tag_list"]

_NAMESPACES = ("SYSTEM", "RUNTIME", "JOB_TEMPLATE", "NOTEBOOK_TEMPLATE", "USER_DEFINED", "PLATFORM")


def read_concurrency(given: Any, place: Place) -> int:
    """A limit of how many at once, as a number or as text.

    Raises:
        DefinitionError: it is no whole number, or out of range.
    """
    expected = f"expected a whole number from 1 to {CONCURRENCY_MAX:,}"
    limit = read_count(given, place, expected)
    if not 1 <= limit <= CONCURRENCY_MAX:
        raise place.error(f"{shown(given)} is out of range; {expected}")
    return limit


def read_run_strategy(given: Any, place: Place, notes: Notes) -> RunStrategy:
    """A run strategy: the name of a rule, a number (so many in parallel), or ``{rule, workflow_concurrency}``.

    Raises:
        DefinitionError: there is no such rule, or the limit is out of range, or not one of this rule.
    """
    if isinstance(given, dict):
        fields, _ = read_fields(given, place, notes, "run_strategy")
        rule = read_rule(fields["rule"], place / "rule") if "rule" in fields else RunRule.SEQUENTIAL
        if "workflow_concurrency" not in fields:
            return limit_runs(rule, None, place)
        here = place / "workflow_concurrency"
        return limit_runs(rule, read_concurrency(fields["workflow_concurrency"], here), here)
    if isinstance(given, str) and not given.strip().isdecimal():
        return limit_runs(read_rule(given, place), None, place)
    return limit_runs(RunRule.PARALLEL, read_concurrency(given, place), place)


def limit_runs(rule: RunRule, concurrency: int | None, place: Place) -> RunStrategy:
    """The strategy, with Maestro's limit if none is given: 20 runs in PARALLEL, 1 otherwise.

    Raises:
        DefinitionError: there is a limit, but runs of this rule are one at a time.
    """
    if rule is RunRule.PARALLEL:
        return RunStrategy(rule, PARALLEL_DEFAULT if concurrency is None else concurrency)
    if concurrency not in (None, 1):
        raise place.error(f"{concurrency} runs at once are for PARALLEL only; the rule {rule} runs one at a time")
    return RunStrategy(rule, 1)


def read_rule(given: Any, place: Place) -> RunRule:
    """A rule by its name, in upper or lower case.

    Raises:
        DefinitionError: there is no such rule.
    """
    try:
        return RunRule(given.strip().upper())
    except (AttributeError, ValueError):
        raise place.error(
            f"unknown run strategy {shown(given)}{guess(str(given).upper(), RunRule)}; "
            f"the rules are {listing(list(RunRule))}"
        ) from None


def read_tag_list(given: Any, place: Place, notes: Notes) -> tuple[Tag, ...]:
    """A list of tags, each a text (its name) or an object.

    Raises:
        DefinitionError: it is no list, a name is missing, not legal or given twice, or a permit is out of range.
    """
    tags: dict[str, Tag] = {}
    for index, item in enumerate(expect_list(given, place)):
        tag = _read_tag(item, place[index], notes)
        if tag.name in tags:
            raise place[index].error(f"the tag {shown(tag.name)} is given twice")
        tags[tag.name] = tag
    return tuple(tags.values())


def keep_attributes(given: Any) -> dict[str, Any]:
    """The field ``tags`` to be stored as it is, if tags in it have attributes, which are only kept."""
    has_any = any(isinstance(tag, dict) and "attributes" in tag for tag in given)
    return {"tags": given} if has_any else {}


def _read_tag(given: Any, place: Place, notes: Notes) -> Tag:
    if isinstance(given, str):
        return Tag(check_tag_name(given, place))
    fields: Mapping[str, Any] = read_fields(given, place, notes, "tag")[0]
    if "name" not in fields:
        raise place.error("a tag needs the field 'name'")
    namespace = ""
    if "namespace" in fields:
        here = place / "namespace"
        namespace = expect_text(fields["namespace"], here, 128).upper()
        if namespace not in _NAMESPACES:
            raise here.error(
                f"unknown namespace {shown(fields['namespace'])}{guess(namespace, _NAMESPACES)}; "
                f"they are {listing(_NAMESPACES)}"
            )
    permit = read_concurrency(fields["permit"], place / "permit") if "permit" in fields else None
    return Tag(check_tag_name(fields["name"], place / "name"), namespace, permit)
