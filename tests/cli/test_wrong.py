"""What is wrong is said on one line of stderr, with exit code 2, and leaves no trace."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine, no_op


def complaint(cli: CommandLine, *args: str | Path) -> str:
    """The one line of stderr of a command that must exit with 2, print nothing else and write nothing."""
    before = set(cli.folder.rglob("*"))
    done = cli(*args, code=2)
    assert done.stdout == ""
    assert set(cli.folder.rglob("*")) == before
    (line,) = done.stderr.splitlines()
    assert line.startswith("maestro-flow: ")
    return line.removeprefix("maestro-flow: ")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"id": "a", "type": "Nope"}, ["steps[0]", "type", "Nope", "NoOp"]),
        ({"type": "NoOp"}, ["steps[0]", "id"]),
        ({"id": "a", "type": "NoOp", "transition": {"successors": {"ghost": "true"}}}, ["steps[0]", "ghost"]),
        ({"id": "a", "type": "NoOp", "transition": {"successors": {"a": "true"}}}, ["steps[0]", "itself"]),
        ({"id": "a", "type": "NoOp", "params": {"p": {"value": "x", "type": "LONG"}}}, ["steps[0]", "p", "LONG"]),
        ({"id": "a", "type": "NoOp", "params": {"p": {"value": 1, "type": "INT"}}}, ["steps[0]", "p", "INT"]),
    ],
)
def test_a_wrong_definition_names_the_file_and_the_place(
    cli: CommandLine, step: dict[str, object], words: list[str]
) -> None:
    file = cli.folder / "wrong.json"
    file.write_text(json.dumps({"workflow": {"id": "wrong", "steps": [{"step": step}]}}))
    line = complaint(cli, "run", file)
    assert [word for word in ["wrong.json", *words] if word not in line] == []


@pytest.mark.parametrize("content", ["", "{", "a: [", "[1, 2]", "workflow: 7", "\x00"])
@pytest.mark.parametrize("name", ["wrong.json", "wrong.yaml"])
def test_a_file_that_is_not_a_definition_is_named(cli: CommandLine, name: str, content: str) -> None:
    file = cli.folder / name
    file.write_text(content)
    assert name in complaint(cli, "run", file)


def test_a_file_that_is_not_there_is_named(cli: CommandLine) -> None:
    assert "nowhere.yaml" in complaint(cli, "run", "nowhere.yaml")
    assert str(cli.folder) in complaint(cli, "run", cli.folder)


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["--bogus"], "--bogus"),
        (["--param", "novalue"], "novalue"),
        (["--param", "=1"], "=1"),
        (["--param", "count=many"], "count"),
        (["--timeout", "soon"], "soon"),
        (["--timeout", "-1"], "-1"),
        (["--store", "runs.db"], "runs.db"),
        (["--store", "mongo://here"], "mongo"),
        (["--store", "sqlite:///no/such/folder/runs.db"], "no/such/folder"),
        (["extra"], "extra"),
    ],
)
def test_a_wrong_option_is_named(cli: CommandLine, args: list[str], word: str) -> None:
    file = cli.workflow("good", no_op("only"), params={"count": {"value": 1, "type": "LONG"}})
    done = cli("run", file, *args, code=2)
    assert word in done.stderr.splitlines()[-1]
    assert done.stderr.count("\n") == 1
    assert not list(cli.folder.glob("*.db"))


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["bogus"], "No such command 'bogus'."),
        (
            ["list", "--status", "HAPPY"],
            "Invalid value for '--status': 'HAPPY' is not one of 'created', 'in_progress',",
        ),
        (["list", "--limit", "0"], "Invalid value for '--limit': 0 is not in the range 1<=x<=1000."),
        (["show"], "Missing argument 'WORKFLOW_ID'."),
        (["show", "w", "first"], "Invalid value for '[INSTANCE]': 'first' is not a valid integer range."),
    ],
)
def test_a_wrong_command_line_is_one_line(cli: CommandLine, args: list[str], problem: str) -> None:
    assert complaint(cli, *args).startswith(problem)


@pytest.mark.parametrize("args", [["list"], ["show", "any"], ["resume"]])
@pytest.mark.parametrize("store", ["sqlite:///maestro-flow.db", "sqlite:///typo.db", "SQLITE:///typo.db"])
def test_a_command_that_only_looks_makes_no_store(cli: CommandLine, args: list[str], store: str) -> None:
    assert f"there is no store {cli.folder}/{store[10:]} yet" in complaint(cli, *args, "--store", store)


def test_a_file_that_is_not_a_store_is_refused_and_left_alone(cli: CommandLine) -> None:
    foreign = cli.folder / "foreign.db"
    foreign.write_text("Dear diary, " * 100)
    done = cli("run", cli.workflow("good", no_op("only")), "--store", "sqlite:///foreign.db", code=2)
    assert "foreign.db" in done.stderr
    assert foreign.read_text() == "Dear diary, " * 100


def test_a_database_of_another_program_is_refused(cli: CommandLine) -> None:
    with closing(sqlite3.connect(cli.folder / "other.db")) as other, other:
        other.execute("create table songs (title text)")
    done = cli("list", "--store", "sqlite:///other.db", code=2)
    assert "other.db" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_store_of_a_newer_version_is_refused(cli: CommandLine) -> None:
    cli("run", cli.workflow("small", no_op("only")))
    with closing(sqlite3.connect(cli.folder / "maestro-flow.db")) as store, store:
        store.execute("update store_meta set schema_version = 999, oldest_reader = 999")
    assert "999" in complaint(cli, "list")


def test_what_is_not_in_the_store_is_not_found(cli: CommandLine) -> None:
    cli("run", cli.workflow("small", no_op("only")))
    assert "ghost" in complaint(cli, "show", "ghost")
    assert "small/9" in complaint(cli, "show", "small", "9")
    assert "small/1/2" in complaint(cli, "show", "small", "1", "--run", "2")
