"""The command line ``maestro-flow``: its commands, and the one place where errors turn into a line and an exit code.

Nothing heavy is imported here or at the top of the commands' modules: ``--help`` loads click and nothing more.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from maestro_flow.cli.actions import COMMANDS as ACTIONS
from maestro_flow.cli.dead_letters import dead_letters
from maestro_flow.cli.exits import INTERRUPTED, Exit
from maestro_flow.cli.migrate import migrate
from maestro_flow.cli.node import node
from maestro_flow.cli.permits import permits
from maestro_flow.cli.queries import explain, list_runs, show
from maestro_flow.cli.run import resume, run
from maestro_flow.cli.step_types import step_types
from maestro_flow.cli.verify import verify
from maestro_flow.errors import MaestroFlowError

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=Exit.explain())
@click.version_option(package_name="maestro-flow", message="%(prog)s %(version)s")
def cli() -> None:
    """Durable workflows: run them, resume them after a crash, inspect them."""


STORES = (dead_letters, verify, migrate)
for command in (run, resume, node, list_runs, show, explain, *ACTIONS, permits, step_types, *STORES):
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command line and end the process with its exit code (``Exit``)."""
    try:
        code = cli.main(sys.argv[1:] or ["--help"], prog_name="maestro-flow", standalone_mode=False)
    except click.Abort:
        code = INTERRUPTED
    except click.ClickException as error:
        code = report_error(error.format_message())
    except MaestroFlowError as error:
        code = report_error(str(error))
    sys.exit(code or Exit.OK)


def report_error(problem: str) -> Exit:
    """Print on one line of stderr what is wrong."""
    click.echo(f"maestro-flow: {' '.join(problem.split())}", err=True)
    return Exit.WRONG
