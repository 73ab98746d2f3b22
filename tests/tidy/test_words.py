"""One term an idea: names that were retired stay so, and prose keeps to idiomatic English.

The terms themselves are in docs/reference/glossary.md.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, modules, parse, place

RETIRED_NAMES = {
    # retired               instead
    "Around":               "OuterScope",
    "Beyond":               "OuterScope",
    "Blame":                "ParamErrors",
    "Books":                "MemoryState",
    "Claim":                "Requester",
    "Deaths":               "DeadOwners",
    "Door":                 "WriterLock",
    "GivenRun":             "PendingRun",
    "Letter":               "Message, OutgoingMessage",
    "Likeness":             "ModelEquivalence",
    "Misfit":               "TypeMismatch",
    "PatientConnection":    "TimedConnection",
    "PermitMail":           "PermitMessage",
    "Place":                "Location",
    "Places":               "RunLocations",
    "Subject":              "ErrorContext",
    "TakenRuns":            "StartAcknowledgements",
    "guess":                "did_you_mean",
    "has_room":             "has_free_permit",
    "is_at_work":           "is_active",
    "is_going":             "is_active",
    "lacking":              "unsupported",
    "patience":             "answer_timeout",
    "switching":            "strategy_switch",
    "why_lacking":          "why_unsupported",
}  # fmt: skip
"""Names of modules, classes, functions and parameters. A name is added with the commit that removes its last use."""

RETIRED_FUNCTIONS = {
    # retired               instead
    "go_on":                "write_next",
    "let_go":               "release, remove_actor",
    "letter":               "message_to",
    "taken":                "acknowledge_starts",
}  # fmt: skip
"""Names that only functions and methods must not have: as a parameter or variable they may be right."""

RETIRED_PHRASES = {
    # retired                                                   instead
    r"(?<![Tt]here )\b(is|are|was|were) no (?!longer|more|less)":  "is not a",
    r"\b(go|goes|going|went) on\b":                             "continue",
    r"\blets? go of\b":                                         "release, close",
    r"\bfor who\b|\b(of|by|to) who\b":                          "for the caller, by the reader",
    r"(^|[.;:(] ?)[Ww]ho (?!may\b)\w+":                         "the caller, a reader, a waiter",
    r"\bas often as one likes\b":                               "idempotent",
    r"\bDESIGN \d":                                             "a page of docs/internals",
}  # fmt: skip
"""Regular expressions for docstrings, comments, messages and pages. "There is no such run" is good English."""

PAGES = "*.md benchmarks/*.md examples/*.md examples/*/*.md docs/**/*.md".split()  # noqa: SIM905 - reads better


_CODE = re.compile(r"^(`{3,})\w*\n.*?^\1$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def names(tree: ast.Module) -> Iterator[tuple[ast.AST, str, bool]]:
    """What a module names: each with its node, and whether it is a function."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name):
                yield node, name, False
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node, name, True
            case ast.arg(arg=name):
                yield node, name, False


def retired(name: str, *, is_function: bool) -> str:
    """What to say instead of a name, or ""."""
    instead = RETIRED_NAMES.get(name.lstrip("_"), "")
    return instead or (RETIRED_FUNCTIONS.get(name.lstrip("_"), "") if is_function else "")


def texts(source: str) -> Iterator[tuple[int, str]]:
    """The comments and strings of a module, each on one line, with the number of its first line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind in {"COMMENT", "STRING", "FSTRING_MIDDLE"}:
            yield token.start[0], " ".join(token.string.strip("\"'# \n").split())


def paragraphs(page: str) -> Iterator[tuple[int, str]]:
    """The paragraphs of a Markdown page without code, each on one line, with the number of its first line."""
    page = _CODE.sub(lambda found: "\n" * found[0].count("\n"), page)
    for found in re.finditer(r"(?:^.*\S.*\n?)+", page, re.MULTILINE):
        yield page.count("\n", 0, found.start()) + 1, " ".join(found[0].split())


def phrases(lines: Iterator[tuple[int, str]]) -> Iterator[str]:
    for number, text in lines:
        for pattern, instead in RETIRED_PHRASES.items():
            if found := re.search(pattern, text):
                yield f"{number}: {text[max(0, found.start() - 30) : found.end() + 30]!r}: say {instead}"


def sources() -> list[Path]:
    tests = (path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
    return sorted([*modules().values(), *tests])


def scripts() -> list[Path]:
    return sorted(ROOT.glob("backends/**/*.lua"))


def lua_comments(script: str) -> Iterator[tuple[int, str]]:
    """The comments of a Lua script, by line."""
    for number, line in enumerate(script.splitlines(), 1):
        _, dashes, comment = line.partition("--")
        if dashes:
            yield number, comment.strip()


def pages() -> list[Path]:
    return sorted({path for pattern in PAGES for path in ROOT.glob(pattern)})


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", modules())
def test_a_retired_name_is_not_used_again(module: str) -> None:
    assert not retired(module.rpartition(".")[2], is_function=False)
    path = modules()[module]
    found = [(node, name, retired(name, is_function=is_function)) for node, name, is_function in names(parse(path))]
    assert [f"{place(path, node)}: {name}: use {instead}" for node, name, instead in found if instead] == []


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_the_prose_of_a_module_is_idiomatic(path: Path) -> None:
    assert list(phrases(texts(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("path", scripts(), ids=relative)
def test_the_prose_of_a_script_is_idiomatic(path: Path) -> None:
    assert list(phrases(lua_comments(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("path", pages(), ids=relative)
def test_the_prose_of_a_page_is_idiomatic(path: Path) -> None:
    assert list(phrases(paragraphs(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("source", ["class Misfit: ...", "def _guess(): ...", "def f(guess): ...", "def taken(): ..."])
def test_a_retired_name_is_found(source: str) -> None:
    ((_, name, is_function),) = [each for each in names(ast.parse(source)) if each[1] != "f"]
    assert retired(name, is_function=is_function)


def test_a_parameter_may_have_the_name_of_a_retired_function() -> None:
    assert not retired("taken", is_function=False)


@pytest.mark.parametrize(
    "source",
    [
        "# this is no duration",
        '"""The run goes\n    on."""',
        'f"{x} is no {y}"',
        "# Who only looks makes no store.",
        "# It lets go of it.",
        "# see DESIGN 2",
    ],
)
def test_a_retired_phrase_is_found(source: str) -> None:
    assert list(phrases(texts(source))) != []


@pytest.mark.parametrize(
    "source", ["# There is no such run.", "# It is no longer there.", "# a caller who waits", 'x = "is no" + y']
)
def test_good_english_is_not_refused(source: str) -> None:
    assert list(phrases(texts(source))) == []


def test_only_the_comments_of_a_script_are_prose() -> None:
    script = "local t = 'goes on' -- it goes on\n-- it goes on\ncall()\n"
    assert [found.partition(":")[0] for found in phrases(lua_comments(script))] == ["1", "2"]


def test_the_code_of_a_page_is_not_prose() -> None:
    page = "a `goes on` b\n\n```text\ngoes on\n```\n\nit goes\non\n"
    assert [found.partition(":")[0] for found in phrases(paragraphs(page))] == ["7"]
