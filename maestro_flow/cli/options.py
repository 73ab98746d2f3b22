"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from maestro_flow.errors import DefinitionError

if TYPE_CHECKING:
    from maestro_flow.model.params import Param

__all__ = ["json_option", "param_values", "timeout_option"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, and nothing else.")
timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Wait this long at most; what has not ended by then stays in the store, to be resumed.",
)


def param_values(given: Iterable[str], declared: Mapping[str, Param]) -> dict[str, Any]:
    """Values of ``--param NAME=VALUE``, checked against the params that the definition declares.

    A value is text for a param that is declared a STRING, otherwise JSON, or text if it is not declared either.

    Raises:
        click.BadParameter: there is no ``=``, or no name before it.
        DefinitionError: a value does not fit, or the param may not be changed at the start.
    """
    from maestro_flow.dsl.start import parse_param_text, parse_params

    values: dict[str, Any] = {}
    for option in given:
        name, equals, text = option.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"{option!r} is not NAME=VALUE", param_hint="'--param'")
        param = declared.get(name)
        try:
            values[name] = parse_param_text(param.type if param else None, text)
        except DefinitionError as error:
            raise DefinitionError(error.problem, path=f"params.{name}", source="--param") from None
    try:
        parse_params(declared, values)
    except DefinitionError as error:
        raise error.at("--param") from None
    return values
