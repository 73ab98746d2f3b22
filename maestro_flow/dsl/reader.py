"""Reads one object of a definition according to the list of its fields: enforced, stored, refused or unknown."""

from __future__ import annotations

from typing import Any

from attrs import Factory, frozen

from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.dsl.fields import SCOPES, Field, Scope, Treatment
from maestro_flow.dsl.location import Location, listing

__all__ = ["Notes", "expect_list", "expect_object", "expect_text", "read_fields", "read_tags"]


@frozen
class Notes:
    """Warnings about an accepted definition, in the order of reading."""

    lines: list[str] = Factory(list)

    def warn(self, location: Location, text: str) -> None:
        self.lines.append(f"{location.path}: {text}")


def read_fields(
    given: Any, location: Location, notes: Notes, scope: Scope | str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The enforced fields of an object, and those that are only stored; null fields are left out.

    Raises:
        DefinitionError: it is not an object, or a field is unknown or refused in this version.
    """
    known = SCOPES[scope] if isinstance(scope, str) else scope
    enforced: dict[str, Any] = {}
    stored: dict[str, Any] = {}
    for name, value in expect_object(given, location).items():
        field = known.fields.get(name)
        if field is None and not known.extras:
            raise (location / name).error(
                f"unknown field{did_you_mean(name, known.fields)}; the fields here are {listing(known.fields)}"
            )
        if field is None:
            stored[name] = value
            notes.warn(location / name, f"stored, but unknown to this version{did_you_mean(name, known.fields)}")
        elif value is not None:
            _check_treatment(field, value, location / name, notes)
            if field.treatment is not Treatment.REFUSED:
                (enforced if field.treatment is Treatment.ENFORCED else stored)[name] = value
    return enforced, stored


def _check_treatment(field: Field, value: Any, location: Location, notes: Notes) -> None:
    if any(_is_same(value, quiet) for quiet in field.quiet):
        return
    if field.treatment is Treatment.REFUSED:
        raise location.error(f"not supported yet: {field.note}")
    if field.warn:
        what = "" if isinstance(value, list | dict) else f"{preview(value)} is "
        notes.warn(location, f"{what}stored, but not acted on: {field.note}")


def _is_same(value: Any, quiet: Any) -> bool:
    """Whether two values are equal; case does not matter in Maestro's words, and 1 is not true."""
    if isinstance(value, str) and isinstance(quiet, str):
        return value.lower() == quiet
    if isinstance(value, dict) and isinstance(quiet, dict):
        return value.keys() == quiet.keys() and all(_is_same(value[key], quiet[key]) for key in quiet)
    return type(value) is type(quiet) and bool(value == quiet)


def expect_object(given: Any, location: Location) -> dict[str, Any]:
    """The value, if it is an object."""
    if not isinstance(given, dict):
        raise location.error(f"expected an object, got {preview(given)}")
    return given


def expect_list(given: Any, location: Location) -> list[Any]:
    """The value, if it is a list."""
    if not isinstance(given, list):
        raise location.error(f"expected a list, got {preview(given)}")
    return given


def expect_text(given: Any, location: Location, chars_max: int) -> str:
    """The value, if it is text and not too long."""
    if not isinstance(given, str):
        raise location.error(f"expected text, got {preview(given)}")
    if len(given) > chars_max:
        raise location.error(f"the text has {len(given):,} characters; at most {chars_max:,} are allowed")
    return given


def read_tags(stored: dict[str, Any], location: Location, notes: Notes) -> None:
    """Check the field ``tags``, if present, of an object whose tags are only stored (Tag.java)."""
    for index, tag in enumerate(expect_list(stored.get("tags", []), location / "tags")):
        here = (location / "tags")[index]
        if not isinstance(tag, str):
            fields, _ = read_fields(tag, here, notes, "tag")
            if "permit" in fields:
                notes.warn(here / "permit", "stored, but not acted on: only tags of workflows and steps limit anything")
            tag = fields.get("name")  # noqa: PLW2901 - from here on short and full tags are treated the same
        if not isinstance(tag, str) or not tag:
            raise here.error("expected a string, or an object with a string as `name`")
