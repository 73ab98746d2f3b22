"""``maestro-flow step-types``: which step types are installed here, and what params they know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from attrs import asdict

from maestro_flow.cli.options import json_option
from maestro_flow.cli.tables import Table, print_json, print_table
from maestro_flow.errors import NotFound

if TYPE_CHECKING:
    from maestro_flow.steps.declared import ParamSpec
    from maestro_flow.steps.loading import InstalledType

__all__ = ["step_types"]


@click.command("step-types")
@click.argument("name", required=False)
@json_option
def step_types(name: str | None, as_json: bool) -> None:
    """List the installed step types; or, of the one called NAME, the params that it declares."""
    from maestro_flow.steps.loading import describe_installed

    found = [kind for kind in describe_installed() if name in (None, kind.name)]
    if name is not None and not found:
        raise NotFound(f"no step type {name!r} is installed here")
    if as_json:
        print_json({"step_types": [asdict(kind) for kind in found]})
    elif name is None:
        print_table(Table(("STEP TYPE", "CONTRACT", "EXECUTOR", "PACKAGE", "PARAMS"), [_row(kind) for kind in found]))
    else:
        click.echo(found[0].problem or found[0].description)
        if found[0].params:
            rows = [(spec.name, spec.type, _default(spec), spec.description) for spec in found[0].params]
            print_table(Table(("PARAM", "TYPE", "DEFAULT", "DESCRIPTION"), rows))


def _row(kind: InstalledType) -> tuple[str, ...]:
    if kind.problem:
        return kind.name, "", "", kind.package, f"cannot be used: {kind.problem}"
    params = ", ".join(f"{spec.name}{' (required)' if spec.required else ''}" for spec in kind.params)
    return kind.name, str(kind.contract), kind.executor or "(none)", kind.package, params


def _default(spec: ParamSpec) -> str:
    if spec.required:
        return "(required)"
    return "" if spec.default is None else json.dumps(spec.default)
