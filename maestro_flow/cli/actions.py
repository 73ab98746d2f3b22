"""The commands that act on runs and steps: any process asks, the node that owns the run answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from maestro_flow.cli.documents import print_json, run_summary
from maestro_flow.cli.exits import Exit
from maestro_flow.cli.options import json_option, param_options, param_values, step_param_values
from maestro_flow.cli.store import Store, store_options
from maestro_flow.cli.text import run_name
from maestro_flow.errors import WaitTimeout

if TYPE_CHECKING:
    from maestro_flow.client.run import Run

__all__ = ["COMMANDS"]

INSTANCE = click.IntRange(min=1)


def run_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command what names a run that it acts on, and how it is answered."""
    for decorate in (
        click.option(
            "--timeout",
            "timeout_s",
            type=click.FloatRange(min=0),
            default=30.0,
            show_default=True,
            metavar="SECONDS",
            help="Wait this long for the node that owns the run; what is asked for stands.",
        ),
        click.option("--run", "run_id", type=INSTANCE, metavar="N", help="This run of the instance, not its latest."),
        store_options,
        json_option,
    ):
        command = decorate(command)
    return command


@contextmanager
def found_run(store: Store, workflow_id: str, instance: int | None, run_id: int | None) -> Iterator[Run]:
    """The run, until the store is closed again.

    A node that does not answer in time ends the command.
    """
    with store.client(create=False) as client:
        try:
            yield client.find(workflow_id, instance, run_id)
        except WaitTimeout as late:
            click.echo(f"maestro-flow: {late}", err=True)
            raise click.exceptions.Exit(Exit.TIMED_OUT) from None


def tell(run: Run, done: str, step: str, *, as_json: bool) -> None:
    """Say that it is done."""
    if as_json:
        print_json(run_summary(run.view()) | {"step": step or None, "done": done})
    else:
        click.echo(f"{run_name(run)}{step and f' step {step}'}: {done}")


# -- runs or steps ----------------------------------------------------------------------------------------------


def ends(name: str, done: str, what: str) -> click.Command:
    """A command that ends a run, or a step of it that is named."""

    @click.command(name, help=what)
    @click.argument("workflow_id")
    @click.argument("instance", type=INSTANCE, required=False)
    @click.argument("step", default="")
    @run_argument
    def command(
        *, workflow_id: str, instance: int | None, step: str, run_id: int | None, timeout_s: float, **rest: Any
    ) -> None:
        with found_run(rest["store"], workflow_id, instance, run_id) as run:
            getattr(run, name)(step, timeout_s=timeout_s)
            tell(run, done, step, as_json=rest["as_json"])

    return command


def acts_on_step(name: str, done: str, what: str, method: str = "") -> click.Command:
    """A command that does something to one step."""

    @click.command(name, help=what)
    @click.argument("workflow_id")
    @click.argument("instance", type=INSTANCE)
    @click.argument("step")
    @run_argument
    def command(
        *, workflow_id: str, instance: int, step: str, run_id: int | None, timeout_s: float, **rest: Any
    ) -> None:
        with found_run(rest["store"], workflow_id, instance, run_id) as run:
            acted_on = getattr(run, method or name)(step, timeout_s=timeout_s)
            tell(acted_on or run, done, step, as_json=rest["as_json"])

    return command


@click.command()
@click.argument("workflow_id")
@click.argument("instance", type=INSTANCE)
@click.argument("step")
@click.option("--clear", is_flag=True, help="Pause no more attempts; one that is paused stays so.")
@run_argument
def breakpoint_(
    *, workflow_id: str, instance: int, step: str, clear: bool, run_id: int | None, timeout_s: float, **rest: Any
) -> None:
    """Pause each attempt of STEP before it begins, until resume-step lets it go on."""
    with found_run(rest["store"], workflow_id, instance, run_id) as run:
        (run.clear_breakpoint if clear else run.set_breakpoint)(step, timeout_s=timeout_s)
        tell(run, "breakpoint cleared" if clear else "breakpoint set", step, as_json=rest["as_json"])


@click.command()
@click.argument("workflow_id")
@click.argument("instance", type=INSTANCE, required=False)
@run_argument
def unblock(*, workflow_id: str, instance: int | None, run_id: int | None, timeout_s: float, **rest: Any) -> None:
    """Let the runs after one that has failed start (run strategy STRICT_SEQUENTIAL)."""
    with found_run(rest["store"], workflow_id, instance, run_id) as run:
        run.unblock(timeout_s=timeout_s)
        tell(run, "unblocked", "", as_json=rest["as_json"])


# -- restart ----------------------------------------------------------------------------------------------------


@click.command()
@click.argument("workflow_id")
@click.argument("instance", type=INSTANCE, required=False)
@click.option("--step", default="", metavar="STEP", help="Run this step again, and what follows it.")
@click.option("--from-beginning", is_flag=True, help="Run every step again, also what is complete.")
@click.option("--skip", "skip_steps", multiple=True, metavar="STEP", help="Skip this step when its turn has come.")
@click.option("--request-id", metavar="ID", help="The same id again is the same run.")
@param_options
@run_argument
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
    **wishes: Any,
) -> None:
    """Run again what is not complete, or all of it, or a step and what follows it.

    A run that has ended is followed by a new run of the same instance. In a run that goes on, a step that has failed is
    tried again.
    """
    with found_run(store, workflow_id, instance, run_id) as run:
        definition = run.definition
        again = run.restart(
            step=step,
            params=param_values(params, definition.params),
            step_params=step_param_values(step_params, definition.steps),
            **wishes,
        )
        tell(again, "restarted", step, as_json=as_json)


COMMANDS = (
    ends("stop", "stopping", "End a run, or one STEP of it, as STOPPED; what runs is terminated."),
    ends("kill", "killing", "End a run as FAILED, or one STEP of it as FATALLY_FAILED; what runs is terminated."),
    acts_on_step(
        "skip", "skipped", "End STEP as SKIPPED, so that what follows it goes on; restarts a run that has ended."
    ),
    acts_on_step("pause", "paused", "Keep STEP, whose turn has come, from starting until resume-step lets it go on."),
    acts_on_step("resume-step", "resumed", "Let STEP, which is paused, go on.", "resume"),
    breakpoint_,
    unblock,
    restart,
)
"""All of them, in the order of the help."""

breakpoint_.name = "breakpoint"
