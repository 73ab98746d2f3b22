"""The tables of docs/reference/definitions.md, made from the list of fields.

``python -m tests.dsl.page`` writes them into the page again.
"""

from __future__ import annotations

import json
from pathlib import Path

from maestro_flow.dsl.fields import KINDS, SCOPES, Field, Scope, Treatment

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "definitions.md"
BEGIN, END = "<!-- fields: begin, written by python -m tests.dsl.page -->\n", "<!-- fields: end -->\n"


def render() -> str:
    """A section for each kind of object."""
    scopes = list(SCOPES.values())
    scopes.insert(list(SCOPES).index("step"), KINDS)
    return "\n".join(section(scope) for scope in scopes)


def section(scope: Scope) -> str:
    rows = [f"| `{field.name}` | {what(field)} | {field.note} |" for field in scope.fields.values()]
    if scope.extras:
        rows.append("| any other | stored, with a warning | extras, as in Maestro |")
    return "\n".join(
        [f"### {heading(scope.title)}", "", "| field | what becomes of it | meaning |", "|---|---|---|", *rows, ""]
    )


def heading(title: str) -> str:
    """A path as code, anything else as it is."""
    path, _, rest = title.partition(" ")
    return f"`{path}` {rest}".rstrip() if "." in path or title == path else title


def what(field: Field) -> str:
    if field.treatment is Treatment.REFUSED:
        return "refused for now" + (", unless empty" if field.quiet else "")
    exceptions = " or ".join(f"`{json.dumps(value)}`" for value in field.quiet)
    warning = ", with a warning" + (f" unless {exceptions}" if exceptions else "") if field.warn else ""
    return f"{field.treatment.value}{warning}"


def rewrite(page: str) -> str:
    """The page with its tables as they should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{render()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(rewrite(PAGE.read_text()))
