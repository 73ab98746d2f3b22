"""The commands that only look: ``list`` the runs of a store, ``show`` one of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from maestro_flow.cli.documents import print_json, run_document, run_summary
from maestro_flow.cli.options import json_option
from maestro_flow.cli.store import Store, store_options
from maestro_flow.cli.tables import print_table, run_table, step_table
from maestro_flow.cli.text import date_and_time, run_line
from maestro_flow.clock import SystemClock
from maestro_flow.model.status import RunStatus

if TYPE_CHECKING:
    from maestro_flow.engine.view import RunView

__all__ = ["list_runs", "show"]

VALUE_CHARACTERS_MAX = 200
"""Of a param or a result, for people."""


@click.command("list")
@store_options
@click.option("--workflow", "workflow_id", metavar="ID", help="Only runs of this workflow.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in RunStatus], case_sensitive=False),
    help="Only runs with this status; may be given several times.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="The newest this many.")
@json_option
def list_runs(store: Store, workflow_id: str | None, statuses: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List runs, the newest first."""
    with store.existing().client() as client:
        entries = client.runs(workflow_id, statuses=[RunStatus(status) for status in statuses], limit=limit)
    if as_json:
        print_json({"runs": [run_summary(entry) for entry in entries]})
    else:
        print_table(run_table(entries))


@click.command()
@click.argument("workflow_id")
@click.argument("instance", type=click.IntRange(min=1), required=False)
@click.option(
    "--run", "run_id", type=click.IntRange(min=1), metavar="N", help="This run of the instance, not its latest."
)
@store_options
@json_option
def show(workflow_id: str, instance: int | None, run_id: int | None, store: Store, as_json: bool) -> None:
    """Show a run with its steps: the latest of a workflow, or of its INSTANCE."""
    with store.existing().client() as client:
        view = client.find(workflow_id, instance, run_id).view()
    if as_json:
        print_json(run_document(view))
    else:
        print_run(view)


def print_run(view: RunView) -> None:
    """The run, its steps, and below them what they returned and where they failed."""
    click.echo(f"{run_line(view)} (version {view.version}, started {date_and_time(view.started_at) or 'not yet'})")
    if view.reason:
        click.echo(f"reason {view.reason}")
    if view.instance_status is not view.status:
        click.echo(f"the instance is {view.instance_status}: steps of earlier runs count, too")
    if view.is_blocking:
        click.echo("the runs after it wait: maestro-flow unblock, or restart")
    if view.params:
        click.echo(f"params {_short(view.params)}")
    print_table(step_table(list(view.steps.values()), SystemClock().time()))
    for step in view.steps.values():
        for label, value in (("outputs", step.outputs), ("result", step.result)):
            if value:
                click.echo(f"{step.id} {label} {_short(value)}")
        if step.error is not None and step.error.traceback:
            click.echo(f"{step.id} {step.error.traceback.rstrip()}")


def _short(value: Any) -> str:
    """A value as JSON on one line; what does not fit is left to ``--json``."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}... (all of it: --json)"
