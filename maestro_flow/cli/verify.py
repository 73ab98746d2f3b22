"""``maestro-flow verify``: checks that a store keeps every promise, while runs are active on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maestro_flow.cli.exits import Exit
from maestro_flow.cli.options import json_option
from maestro_flow.cli.store import Store, store_options
from maestro_flow.cli.tables import print_json

if TYPE_CHECKING:
    from maestro_flow.verify.store import Verification, Violation

__all__ = ["verify"]


@click.command()
@store_options
@click.option("--live/--no-live", default=True, show_default=True, help="Also check that nothing is stuck.")
@click.option(
    "--grace",
    "grace_s",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How late something may be before it counts as stuck.",
)
@json_option
def verify(store: Store, *, live: bool, grace_s: float, as_json: bool) -> Exit:
    """Check that the log of every run, and the index, keep every promise. Reads everything, and changes nothing.

    Exits with 1 if something is wrong.
    """
    with store.client(create=False) as client:
        found = client.verify(live=live, grace_s=grace_s)
    if as_json:
        from maestro_flow.views.documents import verification_document

        print_json(verification_document(found))
    else:
        _report(found)
    return Exit.NOT_SUCCEEDED if found.violation_count else Exit.OK


def _report(found: Verification) -> None:
    """Print each violation on a line, what to do once per invariant, and one line with what was checked."""
    explained: set[str] = set()
    for violation in found.violations:
        click.echo(f"{violation.invariant} {_where(violation)}: {violation.message}")
        if violation.invariant not in explained:
            click.echo(f"   promised: {violation.meaning}")
            click.echo(f"   what to do: {violation.remedy}")
        explained.add(violation.invariant)
    if found.violation_count > len(found.violations):
        click.echo(f"and {found.violation_count - len(found.violations)} more")
    count = "no violations" if not found.violation_count else f"{found.violation_count} violations"
    click.echo(
        f"{count}: {found.runs} runs, {found.attempts} attempts, {found.events} events "
        f"in {found.records} records of {found.groups} groups"
    )


def _where(violation: Violation) -> str:
    """Workflow, instance, run, step and revision, as far as they are known."""
    if not violation.flow_id:
        return f"group {violation.group_id}"
    parts = [violation.flow_id, f"step {violation.step_id}" if violation.step_id else ""]
    return " ".join(filter(None, [*parts, f"revision {violation.revision}" if violation.revision else ""]))
