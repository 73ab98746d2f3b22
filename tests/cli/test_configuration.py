"""Which store and which settings a command uses, and that it shows no password, whatever becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine, no_op, read_until
from tests.servers.postgres import Server

SECRET = "hunter2"
COMMANDS = [["list"], ["show", "any"], ["resume"], ["node"], ["migrate"], ["run", "small.json"]]


def configure(cli: CommandLine, text: str) -> None:
    (cli.folder / "maestro-flow.toml").write_text(text, encoding="utf-8")


def test_an_option_goes_before_the_environment_that_before_the_file_and_that_before_the_default(
    cli: CommandLine,
) -> None:
    file = cli.workflow("small", no_op("only"))
    cli("run", file)
    configure(cli, 'store = "sqlite:///file.db"')
    cli("run", file)
    cli.environment["MAESTRO_FLOW_STORE"] = "sqlite:///environment.db"
    cli("run", file)
    done = cli("run", file, "--store", "sqlite:///option.db")
    assert done.stdout.startswith("store sqlite:///option.db\n")
    names = {"maestro-flow.db", "file.db", "environment.db", "option.db"}
    assert {path.name for path in cli.folder.glob("*.db")} == names


def test_a_namespace_comes_the_same_ways_and_is_a_store_of_its_own(cli: CommandLine) -> None:
    configure(cli, 'namespace = "of_file"')
    done = cli("run", cli.workflow("small", no_op("only")))
    assert done.stdout.startswith("store sqlite:///maestro-flow.db?namespace=of_file\n")
    assert [run["workflow_id"] for run in cli.json("list")["runs"]] == ["small"]
    cli.environment["MAESTRO_FLOW_NAMESPACE"] = "of_variable"
    assert cli.json("list", "--namespace", "of_file")["runs"]
    assert cli.json("resume", "--namespace", "of_file")["runs"] == []
    assert "maestro-flow.of_variable.db" in cli("list", code=2).stderr
    assert "maestro-flow.of_option.db" in cli("list", "--namespace", "of_option", code=2).stderr
    assert "there is no store" in cli("list", "--namespace", "maestro_flow", code=2).stderr
    assert {path.name for path in cli.folder.glob("*.db")} == {"maestro-flow.of_file.db"}


def test_settings_of_a_node_come_from_the_file(cli: CommandLine) -> None:
    configure(cli, "result_bytes_max = 1\n")
    cli.install_plugin()
    file = cli.workflow("eggs", {"id": "only", "type": "Echo", "params": {"say": "x", "said": ""}})
    assert "bytes" in cli.json("run", file, code=1)["steps"]["only"]["error"]["message"]
    cli.environment["MAESTRO_FLOW_RESULT_BYTES_MAX"] = "1000"
    cli("run", file)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lease_s = true", "maestro-flow.toml: lease_s=True: expected a number"),
        ("lease = 1", "maestro-flow.toml: there is no setting 'lease'; known: announce_s,"),
        ("lease_s 1", "maestro-flow.toml: Expected '=' after a key in a key/value pair (at line 1, column 9)"),
    ],
)
def test_a_wrong_file_is_one_line_and_exit_code_2(
    cli: CommandLine, command: list[str], text: str, problem: str
) -> None:
    cli.workflow("small", no_op("only"))
    configure(cli, text)
    done = cli(*command, code=2)
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert done.stderr.startswith(f"maestro-flow: {problem}")


def test_a_wrong_variable_and_a_missing_file_are_named(cli: CommandLine) -> None:
    cli.environment["MAESTRO_FLOW_LEASE_S"] = "soon"
    assert cli("list", code=2).stderr == "maestro-flow: MAESTRO_FLOW_LEASE_S='soon': expected a number\n"
    cli.environment["MAESTRO_FLOW_CONFIG"] = "nowhere.toml"
    assert cli("list", code=2).stderr.startswith("maestro-flow: nowhere.toml: the file cannot be read: No such file")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_that_cannot_be_reached_is_named_without_its_password(cli: CommandLine, command: list[str]) -> None:
    cli.workflow("small", no_op("only"))
    done = cli(*command, "--store", f"postgresql://me:{SECRET}@127.0.0.1:1/db", code=2)
    assert "me@127.0.0.1:1/db" in done.stderr
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:a/{SECRET}@127.0.0.1:1/db",
        f"postgresql://me:{SECRET}@127.0.0.1:1/db?password={SECRET}",
        f"redis://:a?{SECRET}@127.0.0.1:1",
        f"redis://:a#{SECRET}@127.0.0.1:1",
        f"redis://:{SECRET}",
        f"http://[{SECRET}",
        f"mongodb://me:{SECRET}@host/db",
        f"host=127.0.0.1 password={SECRET}",
        f"sqlite://me:{SECRET}@host/runs.db",
    ],
)
@pytest.mark.parametrize("way", ["option", "environment", "file"])
def test_a_url_that_is_refused_is_shown_without_its_password(cli: CommandLine, way: str, url: str) -> None:
    if way == "file":
        configure(cli, f'store = "{url}"')
    elif way == "environment":
        cli.environment["MAESTRO_FLOW_STORE"] = url
    done = cli("list", *(["--store", url] if way == "option" else []), code=2)
    assert done.stderr.count("\n") == 1
    assert SECRET not in done.stdout + done.stderr


def test_what_goes_well_shows_no_password_either(cli: CommandLine, postgres: Server, schema: str) -> None:
    """The server trusts all connections, so a password does no harm there."""
    user, _, rest = postgres.url(schema).removeprefix("postgresql://").partition("@")
    login = user.partition(":")[0]
    cli.environment["MAESTRO_FLOW_STORE"] = f"postgresql://{login}:{user.partition(':')[2] or SECRET}@{rest}"
    file = cli.workflow("small", no_op("only"))
    shown = [cli(*command) for command in (["migrate"], ["run", file], ["list"], ["show", "small"], ["resume"])]
    node = cli.start("node")
    log = read_until(node, "node is running")
    node.terminate()
    printed = "\n".join([*(done.stdout + done.stderr for done in shown), *log, *(node.stdout or ())])
    assert printed.count(f"postgresql://{login}:***@") == 4
    assert SECRET not in printed


def test_a_file_beside_the_workflow_is_not_looked_for(
    cli: CommandLine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere: Path = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "maestro-flow.toml").write_text("lease_s = true")
    file = cli.workflow("small", no_op("only")).rename(elsewhere / "small.json")
    cli("run", file)
