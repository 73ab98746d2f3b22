"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from maestro_flow.errors import DefinitionError

if TYPE_CHECKING:
    from maestro_flow.model.definition import StepDefinition
    from maestro_flow.model.params import Param

__all__ = [
    "INSTANCE",
    "json_option",
    "param_options",
    "param_values",
    "run_option",
    "step_param_values",
    "timeout_option",
]

INSTANCE = click.IntRange(min=1)

run_option = click.option(
    "--run", "run_id", type=INSTANCE, metavar="N", help="This run of the instance, not the latest one."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, and nothing else.")
timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Wait at most this long for the end; a run that has not ended by then stays in the store and can be resumed.",
)


def param_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--param``, ``--step-param`` and ``--breakpoint``, each as a tuple of strings."""
    for option in (
        click.option(
            "--breakpoint", "breakpoints", multiple=True, metavar="STEP", help="Pause this step before it starts."
        ),
        click.option(
            "--step-param",
            "step_params",
            multiple=True,
            metavar="STEP.NAME=VALUE",
            help="A param of one step: text or JSON.",
        ),
        click.option(
            "--param", "params", multiple=True, metavar="NAME=VALUE", help="A param of the run: text or JSON."
        ),
    ):
        command = option(command)
    return command


def step_param_values(given: Iterable[str], steps: Iterable[StepDefinition]) -> dict[str, dict[str, Any]]:
    """Values of ``--step-param STEP.NAME=VALUE`` by step id; see ``param_values``.

    Raises:
        click.BadParameter: there is no ``=``, or no step before the dot.
        DefinitionError: see ``param_values``.
    """
    by_id = {step.id: step for step in steps}
    found: dict[str, list[str]] = {}
    for option in given:
        # A step id may contain dots too: the longest match wins.
        step_id = max((step_id for step_id in by_id if option.startswith(f"{step_id}.")), key=len, default="")
        if not step_id:
            problem = f"{option!r} is not STEP.NAME=VALUE with a step of the workflow"
            raise click.BadParameter(problem, param_hint="'--step-param'")
        found.setdefault(step_id, []).append(option[len(step_id) + 1 :])
    return {
        step_id: param_values(values, by_id[step_id].params, option=f"--step-param {step_id}")
        for step_id, values in found.items()
    }


def param_values(given: Iterable[str], declared: Mapping[str, Param], *, option: str = "--param") -> dict[str, Any]:
    """Values of ``--param NAME=VALUE``, checked against the declared params.

    The value of a param declared as STRING is text; anything else is read as JSON, and is text if it is not JSON.

    Raises:
        click.BadParameter: there is no ``=``, or no name before it.
        DefinitionError: a value does not fit, or the param must not be changed at the start.
    """
    from maestro_flow.dsl.start import parse_param_text, parse_params

    values: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint=f"'{option}'")
        param = declared.get(name)
        try:
            values[name] = parse_param_text(param.type if param else None, text)
        except DefinitionError as error:
            raise DefinitionError(error.problem, path=f"params.{name}", source=option) from None
    try:
        parse_params(declared, values)
    except DefinitionError as error:
        raise error.at(option) from None
    return values
