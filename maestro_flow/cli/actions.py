"""The commands that act on runs and steps: any process may send them, the node that owns the run answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from maestro_flow.cli.exits import Exit
from maestro_flow.cli.options import (
    INSTANCE,
    json_option,
    param_options,
    param_values,
    run_option,
    step_param_values,
)
from maestro_flow.cli.store import Store, store_options
from maestro_flow.cli.tables import print_json
from maestro_flow.cli.text import run_name
from maestro_flow.errors import WaitTimeout

if TYPE_CHECKING:
    from maestro_flow.client.run import Run

__all__ = ["COMMANDS"]


def action_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--run``, ``--timeout``, ``--json`` and the options of the store."""
    for decorate in (
        click.option(
            "--timeout",
            "timeout_s",
            type=click.FloatRange(min=0),
            default=30.0,
            show_default=True,
            metavar="SECONDS",
            help="Wait this long for the node that owns the run; the request itself stays valid.",
        ),
        run_option,
        store_options,
        json_option,
    ):
        command = decorate(command)
    return command


@contextmanager
def found_run(store: Store, workflow_id: str, instance: int | None, run_id: int | None) -> Iterator[Run]:
    """The run, while the store is open.

    If the node does not answer in time, the command ends with ``Exit.TIMED_OUT``.
    """
    with store.client(create=False) as client:
        try:
            yield client.find(workflow_id, instance, run_id)
        except WaitTimeout as late:
            click.echo(f"maestro-flow: {late}", err=True)
            raise click.exceptions.Exit(Exit.TIMED_OUT) from None


def report(run: Run, done: str, step: str, *, as_json: bool) -> None:
    """Print what was done."""
    if as_json:
        from maestro_flow.views.documents import run_summary

        print_json(run_summary(run.view()) | {"step": step or None, "done": done})
    else:
        click.echo(f"{run_name(run)}{step and f' step {step}'}: {done}")


# -- runs or steps ----------------------------------------------------------------------------------------------


def ends(name: str, done: str, what: str) -> click.Command:
    """A command that ends a run, or one of its steps."""

    @click.command(name, help=what)
    @click.argument("workflow_id")
    @click.argument("instance", type=INSTANCE, required=False)
    @click.argument("step", default="")
    @action_options
    def command(
        *, workflow_id: str, instance: int | None, step: str, run_id: int | None, timeout_s: float, **rest: Any
    ) -> None:
        with found_run(rest["store"], workflow_id, instance, run_id) as run:
            getattr(run, name)(step, timeout_s=timeout_s)
            report(run, done, step, as_json=rest["as_json"])

    return command


def acts_on_step(name: str, done: str, what: str, method: str = "") -> click.Command:
    """A command that does something to one step."""

    @click.command(name, help=what)
    @click.argument("workflow_id")
    @click.argument("instance", type=INSTANCE)
    @click.argument("step")
    @action_options
    def command(
        *, workflow_id: str, instance: int, step: str, run_id: int | None, timeout_s: float, **rest: Any
    ) -> None:
        with found_run(rest["store"], workflow_id, instance, run_id) as run:
            acted_on = getattr(run, method or name)(step, timeout_s=timeout_s)
            report(acted_on or run, done, step, as_json=rest["as_json"])

    return command


@click.command()
@click.argument("workflow_id")
@click.argument("instance", type=INSTANCE)
@click.argument("step")
@click.option("--clear", is_flag=True, help="Remove the breakpoint; an attempt that is paused stays paused.")
@action_options
def breakpoint_(
    *, workflow_id: str, instance: int, step: str, clear: bool, run_id: int | None, timeout_s: float, **rest: Any
) -> None:
    """Pause each attempt of STEP before it starts, until resume-step."""
    with found_run(rest["store"], workflow_id, instance, run_id) as run:
        (run.clear_breakpoint if clear else run.set_breakpoint)(step, timeout_s=timeout_s)
        report(run, "breakpoint cleared" if clear else "breakpoint set", step, as_json=rest["as_json"])


@click.command()
@click.argument("workflow_id")
@click.argument("instance", type=INSTANCE, required=False)
@action_options
def unblock(*, workflow_id: str, instance: int | None, run_id: int | None, timeout_s: float, **rest: Any) -> None:
    """Let the runs behind a failed one start (run strategy STRICT_SEQUENTIAL)."""
    with found_run(rest["store"], workflow_id, instance, run_id) as run:
        run.unblock(timeout_s=timeout_s)
        report(run, "unblocked", "", as_json=rest["as_json"])


# -- restart ----------------------------------------------------------------------------------------------------


@click.command()
@click.argument("workflow_id")
@click.argument("instance", type=INSTANCE, required=False)
@click.option("--step", default="", metavar="STEP", help="Run this step again, and everything after it.")
@click.option("--from-beginning", is_flag=True, help="Run all steps again, including complete ones.")
@click.option("--skip", "skip_steps", multiple=True, metavar="STEP", help="Skip this step when it becomes ready.")
@click.option("--request-id", metavar="ID", help="Makes the request idempotent: the same id yields the same run.")
@param_options
@action_options
def restart(
    *,
    workflow_id: str,
    instance: int | None,
    step: str,
    run_id: int | None,
    params: tuple[str, ...],
    step_params: tuple[str, ...],
    store: Store,
    as_json: bool,
    **options: Any,
) -> None:
    """Run again whatever is not complete, or everything, or one step and everything after it.

    If the run has ended, this starts a new run of the same instance. If it is still active, a failed step of it is
    retried.
    """
    with found_run(store, workflow_id, instance, run_id) as run:
        definition = run.definition
        again = run.restart(
            step=step,
            params=param_values(params, definition.params),
            step_params=step_param_values(step_params, definition.steps),
            **options,
        )
        report(again, "restarted", step, as_json=as_json)


COMMANDS = (
    ends("stop", "stopping", "End a run, or one STEP of it, as STOPPED; running code is terminated."),
    ends("kill", "killing", "End a run as FAILED, or one STEP of it as FATALLY_FAILED; running code is terminated."),
    acts_on_step(
        "skip", "skipped", "End STEP as SKIPPED, so that the steps after it can run; restarts a run that has ended."
    ),
    acts_on_step("pause", "paused", "Keep STEP, which is ready, from starting until resume-step."),
    acts_on_step("resume-step", "resumed", "Let STEP, which is paused, continue.", "resume"),
    breakpoint_,
    unblock,
    restart,
)
"""All actions, in the order of the help."""

breakpoint_.name = "breakpoint"
