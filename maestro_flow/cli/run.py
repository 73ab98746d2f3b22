"""The commands that execute runs in this process: ``run`` a new one, ``resume`` all that are unfinished."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from maestro_flow.cli.exits import Exit
from maestro_flow.cli.options import json_option, param_options, param_values, step_param_values, timeout_option
from maestro_flow.cli.progress import Deadline, follow
from maestro_flow.cli.store import Store, store_options
from maestro_flow.cli.tables import print_json
from maestro_flow.cli.termination import interruptible
from maestro_flow.cli.text import run_name
from maestro_flow.errors import DefinitionError

if TYPE_CHECKING:
    from maestro_flow.views.run import RunView

__all__ = ["resume", "run"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@param_options
@store_options
@timeout_option
@json_option
def run(
    file: Path,
    *,
    params: tuple[str, ...],
    step_params: tuple[str, ...],
    breakpoints: tuple[str, ...],
    store: Store,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Run the workflow that FILE (YAML or JSON) defines, and show its progress."""
    from maestro_flow.dsl.load import load_definition
    from maestro_flow.steps.loading import known_step_types
    from maestro_flow.steps.registry import StepTypes

    # Errors in the definition are found before the store is opened, which may create it.
    loaded = load_definition(file, known_types=known_step_types())
    for warning in loaded.warnings:
        click.echo(f"{file}: {warning}", err=True)
    try:
        StepTypes().check(loaded.definition)
    except DefinitionError as error:
        raise error.at(str(file)) from None
    values = param_values(params, loaded.definition.params)
    step_values = step_param_values(step_params, loaded.definition.steps)
    store.announce(as_json=as_json)
    with interruptible(), store.engine() as engine:
        engine.push(loaded.definition)
        started = engine.start(loaded.definition.id, params=values, step_params=step_values, breakpoints=breakpoints)
        deadline = Deadline(timeout)  # for the run alone, not for opening the store
        view, code = follow(started, deadline, as_json=as_json)
    explain(view, code)
    if as_json:
        from maestro_flow.views.documents import run_document

        print_json(run_document(view))
    return code


@click.command()
@store_options
@timeout_option
@json_option
def resume(store: Store, timeout: float | None, as_json: bool) -> int:
    """Run every unfinished run in the store to its end, and show its progress."""
    ended = []
    with store.client(create=False) as client:  # not the engine: it may end some before the list is read
        store.announce(as_json=as_json)
        unfinished = client.unfinished()[::-1]
    if not unfinished:
        click.echo("every run in the store has ended", err=as_json)
    with interruptible(), store.engine() as engine:
        deadline = Deadline(timeout)
        for left in unfinished:
            if not as_json:
                click.echo(run_name(left))
            run = engine.find(left.workflow_id, left.instance_id, left.run_id)
            view, code = follow(run, deadline, as_json=as_json)
            explain(view, code)
            ended.append((view, code))
    if as_json:
        from maestro_flow.views.documents import run_document

        print_json({"runs": [run_document(view) for view, _ in ended]})
    return Exit.worst(*(code for _, code in ended))


def explain(view: RunView, code: Exit) -> None:
    """Print on stderr why a run has not ended, or where to see more about one that did not succeed."""
    waiting = {step.waiting_for for step in view.steps.values() if step.waiting_for}
    if view.status.is_terminal:
        if code is not Exit.OK:
            more = f"maestro-flow show {view.workflow_id} {view.instance_id}"
            click.echo(f"{run_name(view)} ended {view.status}; for more: {more}", err=True)
    elif code is Exit.TIMED_OUT:
        click.echo(f"{run_name(view)} has not ended in time; to continue: maestro-flow resume", err=True)
    else:
        click.echo(f"{run_name(view)} cannot continue here: {'; '.join(sorted(waiting))}", err=True)
