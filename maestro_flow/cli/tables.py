"""What commands print: tables, in colour on a terminal and as plain columns elsewhere; or JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from maestro_flow.cli.text import date_and_time, duration, step_note, time_of_day

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from maestro_flow.model.runs import RunEntry
    from maestro_flow.views.run import StepView

__all__ = ["Table", "on_terminal", "print_json", "print_table", "rich_table", "run_table", "step_table"]

COLOURS = {
    "SUCCEEDED": "green",
    "STARTING": "cyan",
    "RUNNING": "cyan",
    "IN_PROGRESS": "cyan",
    "PAUSED": "yellow",
    "WAITING_FOR_PERMITS": "yellow",
    "COMPLETED_WITH_ERROR": "yellow",
    "CREATED": "dim",
    "INITIALIZED": "dim",
    "SKIPPED": "dim",
    "NOT_CREATED": "dim",
    "UNSATISFIED": "dim",
}
"""Styles of statuses; all others are failures, and red."""


@frozen
class Table:
    """Headers and rows of text, independent of how they are drawn; ``status`` is the index of the coloured column."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    status: int | None = None


def on_terminal() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout.isatty()


def step_table(steps: Sequence[StepView], now: float) -> Table:
    """Steps with status and time; the time of an unfinished step is counted until ``now`` (epoch seconds)."""
    rows = [
        (
            step.id,
            step.status,
            str(step.attempt) if step.attempt else "",
            time_of_day(step.started_at),
            duration(step.started_at, step.ended_at or now),
            step_note(step),
        )
        for step in steps
    ]
    return Table(("STEP", "STATUS", "ATTEMPT", "STARTED", "TIME", "NOTE"), rows, status=1)


def run_table(entries: Sequence[RunEntry]) -> Table:
    rows = [
        (
            entry.workflow_id,
            str(entry.instance_id),
            str(entry.run_id),
            str(entry.version),
            entry.status,
            date_and_time(entry.created_at),
            duration(entry.started_at, entry.ended_at),
        )
        for entry in entries
    ]
    return Table(("WORKFLOW", "INSTANCE", "RUN", "VERSION", "STATUS", "CREATED", "TIME"), rows, status=4)


def print_json(document: Any) -> None:
    """Print one document; values that JSON has no form for are printed as text."""
    import msgspec

    encoded = msgspec.json.encode(document, enc_hook=str)
    click.echo(msgspec.json.format(encoded, indent=2))


def print_table(table: Table) -> None:
    """Print in colour on a terminal, and as plain columns, two spaces apart, into a pipe or a file."""
    if on_terminal():
        from rich.console import Console

        Console().print(rich_table(table))
        return
    lines = [table.headers, *table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.headers))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def rich_table(table: Table) -> RichTable:
    """The table for rich, which fits it to the width of the terminal."""
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=None, pad_edge=False)
    for header in table.headers:
        drawn.add_column(header, overflow="fold")
    for row in table.rows:
        # Text, not str: square brackets in an id or a message are not markup.
        cells = [Text(cell) for cell in row]
        if table.status is not None:
            cells[table.status].stylize(COLOURS.get(row[table.status], "red"))
        drawn.add_row(*cells)
    return drawn
