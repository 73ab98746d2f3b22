"""What is imported when nothing is asked for yet. Not timed: a list of modules is the same on every machine."""

from __future__ import annotations

import subprocess
import sys

REPORT = "import sys; print(*sorted(sys.modules))"


def imported_by(statement: str) -> set[str]:
    """Names of the modules that a fresh interpreter holds after a statement."""
    done = subprocess.run([sys.executable, "-c", f"{statement}\n{REPORT}"], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_that_only_some_need() -> None:
    assert not imported_by("import maestro_flow") & {"sqlalchemy", "click", "rich", "yaml", "pytest", "lark"}


def test_help_loads_neither_the_engine_nor_a_database_nor_a_terminal() -> None:
    loaded = imported_by(
        "import sys\n"
        "from maestro_flow.cli.main import main\n"
        "sys.argv = ['maestro-flow', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass"
    )
    heavy = {"sqlalchemy", "yaml", "rich", "pykka", "lark", "maestro_flow.engine", "maestro_flow_sql"}
    assert not loaded & heavy
    assert "maestro_flow.cli.main" in loaded


def test_expressions_load_their_parser_when_the_first_is_evaluated() -> None:
    assert "lark" not in imported_by("import maestro_flow.sel")
    assert "lark" in imported_by("from maestro_flow.sel import evaluate; evaluate('1')")


def test_a_client_loads_no_actors() -> None:
    loaded = imported_by("from maestro_flow import Client")
    assert "maestro_flow.client.session" in loaded
    assert not {module for module in loaded if module.startswith(("pykka", "maestro_flow.actors", "maestro_flow.node"))}
