"""The read-only commands: ``list`` the runs of a store, ``show`` one of them, ``explain`` its state."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from maestro_flow.cli.options import INSTANCE, json_option, run_option
from maestro_flow.cli.store import Store, store_options
from maestro_flow.cli.tables import Table, print_json, print_table, run_table, step_table
from maestro_flow.cli.text import date_and_time, run_line, time_of_day
from maestro_flow.clock import SystemClock
from maestro_flow.model.status import RunStatus

if TYPE_CHECKING:
    from maestro_flow.client.run import Run
    from maestro_flow.views.history import RecordedEvent
    from maestro_flow.views.run import RunView

__all__ = ["explain", "list_runs", "show"]

VALUE_CHARACTERS_MAX = 200
"""Length at which a param or a result is truncated for people."""


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
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most this many, the newest."
)
@json_option
def list_runs(store: Store, workflow_id: str | None, statuses: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List runs, newest first."""
    with store.client(create=False) as client:
        entries = client.runs(workflow_id, statuses=[RunStatus(status) for status in statuses], limit=limit)
    if as_json:
        from maestro_flow.views.documents import run_summary

        print_json({"runs": [run_summary(entry) for entry in entries]})
    else:
        print_table(run_table(entries))


def run_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``WORKFLOW_ID [INSTANCE]`` and ``--run``."""
    instance = click.argument("instance", type=INSTANCE, required=False)
    return click.argument("workflow_id")(instance(run_option(command)))


@click.command()
@run_arguments
@click.option("--events", is_flag=True, help="Print the log of the run, one line per event.")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="REVISION", help="Only events after this one.")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="At most this many events.")
@click.option(
    "--step", metavar="STEP", help="Print the timeline of this step: its attempts, and how long each phase took."
)
@store_options
@json_option
def show(
    workflow_id: str, instance: int | None, run_id: int | None, store: Store, *, as_json: bool, **options: Any
) -> None:
    """Show a run with its steps: the latest of a workflow, or of its INSTANCE."""
    step, show_log = options["step"], options["events"]
    if step and show_log:
        raise click.UsageError("--events is for the whole run, --step for one step: give one of them")
    with store.client(create=False) as client:
        run = client.find(workflow_id, instance, run_id)
        if show_log:
            show_events(run, options["after"], options["limit"], as_json=as_json)
        elif step:
            show_timeline(run, step, as_json=as_json)
        elif as_json:
            from maestro_flow.views.documents import run_document

            print_json(run_document(run.view()))
        else:
            print_run(run.view())


@click.command()
@run_arguments
@click.argument("step", default="")
@store_options
@json_option
def explain(
    workflow_id: str, instance: int | None, step: str, run_id: int | None, store: Store, *, as_json: bool
) -> None:
    """Say why a run, or one STEP of it, is in its current state, and since when."""
    with store.client(create=False) as client:
        run = client.find(workflow_id, instance, run_id)
        why = run.explain(step)
    if as_json:
        from maestro_flow.views.documents import explanation_document

        print_json(explanation_document(run.flow_id, step, why))
    else:
        click.echo(why.sentence + (f"; since {date_and_time(why.since)}" if why.since is not None else ""))


def show_events(run: Run, after: int, limit: int, *, as_json: bool) -> None:
    """Print a page of the log, in whole records."""
    shown: list[RecordedEvent] = []
    is_more = False
    for each in run.events(after):
        if len(shown) >= limit and each.revision != shown[-1].revision:
            is_more = True
            break
        shown.append(each)
        if not as_json:
            click.echo(f"{date_and_time(each.at)} {each.revision} {each.event.describe()}")
    if as_json:
        from maestro_flow.views.documents import event_document

        print_json({"events": [event_document(each) for each in shown], "more": is_more})
    elif is_more:
        click.echo(f"there are more events: --after {shown[-1].revision}", err=True)


def show_timeline(run: Run, step: str, *, as_json: bool) -> None:
    """Print the timeline of one step."""
    if as_json:
        from maestro_flow.views.documents import step_history_document

        print_json(step_history_document(step, run.timeline(step), run.attempts(step)))
        return
    rows = [
        (
            time_of_day(entry.at),
            str(entry.attempt),
            str(entry.execution),
            entry.what,
            "" if entry.lasted_s is None else f"{entry.lasted_s:.3f} s",
        )
        for entry in run.timeline(step)
    ]
    print_table(Table(("AT", "ATTEMPT", "EXECUTION", "WHAT", "TIME"), rows, status=3))


def print_run(view: RunView) -> None:
    """Print the run, its steps, and below them what they returned and where they failed."""
    click.echo(f"{run_line(view)} (version {view.version}, started {date_and_time(view.started_at) or 'not yet'})")
    if view.reason:
        click.echo(f"reason {view.reason}")
    if view.instance_status is not view.status:
        click.echo(f"the instance is {view.instance_status}: steps of earlier runs count too")
    if view.is_blocking:
        click.echo("later runs are waiting: maestro-flow unblock, or restart")
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
    """A value as JSON on one line, truncated; ``--json`` has all of it."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}... (in full: --json)"
