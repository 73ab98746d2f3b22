"""How many runs and steps are active at once: run strategies, step limits, tags (RunStrategy.java, Tag.java)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.dsl.durations import read_count
from maestro_flow.dsl.ids import check_tag_name
from maestro_flow.dsl.limits import CONCURRENCY_MAX, PARALLEL_DEFAULT
from maestro_flow.dsl.location import Location, listing
from maestro_flow.dsl.reader import Notes, expect_list, expect_text, read_fields
from maestro_flow.model.definition import RunRule, RunStrategy, Tag

__all__ = ["keep_attributes", "limit_runs", "read_concurrency", "read_rule", "read_run_strategy", "read_tag_list"]

_NAMESPACES = ("SYSTEM", "RUNTIME", "JOB_TEMPLATE", "NOTEBOOK_TEMPLATE", "USER_DEFINED", "PLATFORM")


def read_concurrency(given: Any, location: Location) -> int:
    """A concurrency limit, as a number or as text.

    Raises:
        DefinitionError: it is not a whole number, or is out of range.
    """
    expected = f"expected a whole number from 1 to {CONCURRENCY_MAX:,}"
    limit = read_count(given, location, expected)
    if not 1 <= limit <= CONCURRENCY_MAX:
        raise location.error(f"{preview(given)} is out of range; {expected}")
    return limit


def read_run_strategy(given: Any, location: Location, notes: Notes) -> RunStrategy:
    """A run strategy: the name of a rule, how many runs in parallel, or ``{rule, workflow_concurrency}``.

    Raises:
        DefinitionError: there is no such rule, or the limit is out of range, or this rule has no such limit.
    """
    if isinstance(given, dict):
        fields, _ = read_fields(given, location, notes, "run_strategy")
        rule = read_rule(fields["rule"], location / "rule") if "rule" in fields else RunRule.SEQUENTIAL
        if "workflow_concurrency" not in fields:
            return limit_runs(rule, None, location)
        here = location / "workflow_concurrency"
        return limit_runs(rule, read_concurrency(fields["workflow_concurrency"], here), here)
    if isinstance(given, str) and not given.strip().isdecimal():
        return limit_runs(read_rule(given, location), None, location)
    return limit_runs(RunRule.PARALLEL, read_concurrency(given, location), location)


def limit_runs(rule: RunRule, concurrency: int | None, location: Location) -> RunStrategy:
    """The strategy, with Maestro's limit if none is given: 20 runs for PARALLEL, 1 otherwise.

    Raises:
        DefinitionError: a limit is given, but the rule runs one at a time.
    """
    if rule is RunRule.PARALLEL:
        return RunStrategy(rule, PARALLEL_DEFAULT if concurrency is None else concurrency)
    if concurrency not in (None, 1):
        raise location.error(f"only PARALLEL allows {concurrency} runs at once; the rule {rule} runs one at a time")
    return RunStrategy(rule, 1)


def read_rule(given: Any, location: Location) -> RunRule:
    """A rule by its name, in upper or lower case.

    Raises:
        DefinitionError: there is no such rule.
    """
    try:
        return RunRule(given.strip().upper())
    except (AttributeError, ValueError):
        raise location.error(
            f"unknown run strategy {preview(given)}{did_you_mean(str(given).upper(), RunRule)}; "
            f"the rules are {listing(list(RunRule))}"
        ) from None


def read_tag_list(given: Any, location: Location, notes: Notes) -> tuple[Tag, ...]:
    """A list of tags, each a string (its name) or an object.

    Raises:
        DefinitionError: it is not a list, a name is missing, not legal or repeated, or a permit is out of range.
    """
    tags: dict[str, Tag] = {}
    for index, item in enumerate(expect_list(given, location)):
        tag = _read_tag(item, location[index], notes)
        if tag.name in tags:
            raise location[index].error(f"the tag {preview(tag.name)} is given twice")
        tags[tag.name] = tag
    return tuple(tags.values())


def keep_attributes(given: Any) -> dict[str, Any]:
    """The field ``tags`` as it is to be stored, if a tag in it has attributes, which are stored but not acted on."""
    has_any = any(isinstance(tag, dict) and "attributes" in tag for tag in given)
    return {"tags": given} if has_any else {}


def _read_tag(given: Any, location: Location, notes: Notes) -> Tag:
    if isinstance(given, str):
        return Tag(check_tag_name(given, location))
    fields: Mapping[str, Any] = read_fields(given, location, notes, "tag")[0]
    if "name" not in fields:
        raise location.error("a tag needs the field 'name'")
    namespace = ""
    if "namespace" in fields:
        here = location / "namespace"
        namespace = expect_text(fields["namespace"], here, 128).upper()
        if namespace not in _NAMESPACES:
            raise here.error(
                f"unknown namespace {preview(fields['namespace'])}{did_you_mean(namespace, _NAMESPACES)}; "
                f"they are {listing(_NAMESPACES)}"
            )
    permit = read_concurrency(fields["permit"], location / "permit") if "permit" in fields else None
    return Tag(check_tag_name(fields["name"], location / "name"), namespace, permit)
