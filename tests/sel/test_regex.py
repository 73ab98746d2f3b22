"""Java's regular expressions in ``split`` and ``replaceAll``."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_flow.errors import SelLimit, SelRuntimeError
from maestro_flow.sel import evaluate


@pytest.mark.parametrize(
    ("text", "pattern", "limit", "parts"),
    [
        ("a b c", r"\ ", 0, ["a", "b", "c"]), ("a b c", r"\ ", 2, ["a", "b c"]), ("a,b,,", ",", 0, ["a", "b"]),
        ("a,b,,", ",", -1, ["a", "b", "", ""]), ("", ",", 0, [""]), (",", ",", 0, []), (",a", ",", 0, ["", "a"]),
        ("abc", "", 0, ["a", "b", "c"]), ("a1b22c", r"\d+", 0, ["a", "b", "c"]), ("abc", "x", 0, ["abc"]),
        ("a.b", ".", 0, []), ("a.b", r"\.", 0, ["a", "b"]), ("a|b", "|", 0, ["a", "|", "b"]), ("a,b", ",", 1, ["a,b"]),
        ("aXbxc", "(?i)x", 0, ["a", "b", "c"]), ("2019-01-02", "-", 0, ["2019", "01", "02"]),
    ],
)  # fmt: skip
def test_split(text: str, pattern: str, limit: int, parts: list[str]) -> None:
    assert evaluate("t.split(p, n)", {"t": text, "p": pattern, "n": limit}) == parts
    if limit == 0:
        assert evaluate("t.split(p)", {"t": text, "p": pattern}) == parts


@pytest.mark.parametrize(
    ("text", "pattern", "replacement", "result"),
    [
        ("a-B- c", " b", "-B-", "a-B- c"), ("a1b22", "[0-9]+", "#", "a#b#"),
        ("john smith", r"(\w+) (\w+)", "$2 $1", "smith john"),
        ("abc", "b*", "-", "-a--c-"), ("abc", "", "-", "-a-b-c-"), ("aaa", "a{2}", "b", "ba"),
        ("aaa", "a+?", "b", "bbb"),
        ("aab", "(?<x>a+)b", "<${x}>", "<aa>"), ("foobar", "foo(?=bar)", "X", "Xbar"),
        ("foobaz", "foo(?!bar)", "X", "Xbaz"),
        ("aaa", "a*aaa", "X", "X"), ("abab", r"(ab)\1", "X", "X"), ("aaa", "a*+a", "X", "aaa"),
        ("a.b", r"\Q.\E", "!", "a!b"),
        ("cost", "cost", r"\$5", "$5"),
        ("x\ny", "x.y", "X", "x\ny"), ("x\ny", "(?s)x.y", "X", "X"), ("line\n", "line$", "X", "X\n"),
        ("A-b", "[^a-z-]", "", "-b"),
        ("😀a", ".", "x", "xx"), ("(a*)*", r"\*", "+", "(a+)+"), ("b", "(a)|b", "[$1]", "[]"),
        ("ab12", r"\p{Alpha}", "", "12"),
    ],
)  # fmt: skip
def test_replace_all(text: str, pattern: str, replacement: str, result: str) -> None:
    assert evaluate("t.replaceAll(p, r)", {"t": text, "p": pattern, "r": replacement}) == result


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(", "near index 1: unclosed group"),
        (")", "near index 0: unmatched ')'"),
        ("[", "near index 1: it ends too early"),
        ("[a", "near index 2: it ends too early"),
        ("*", "near index 1: dangling meta character '*'"),
        ("a**", "near index 2: dangling meta character '*'"),
        ("a{2,1}", "near index 6: illegal repetition"),
        ("a{", "near index 2: illegal repetition"),
        ("\\", "near index 1: it ends too early"),
        (r"\y", r"illegal or unsupported escape sequence \y"),
        ("(?<=a)b", "SEL does not support this construct; it supports (?:, (?=, (?!"),
        ("[a&&b]", "an intersection of character classes is not supported"),
        (r"\2", "there is no group 2"),
        ("[b-a]", "near index 4: illegal character range"),
        ("(?<n", "near index 3: '>' is missing"),
        (r"\p{No}", "near index 6: unknown character property 'No'"),
    ],
)
def test_an_invalid_or_unsupported_regular_expression(pattern: str, problem: str) -> None:
    with pytest.raises(SelRuntimeError, match=re.escape(problem)):
        evaluate("'ab'.replaceAll(p, '')", {"p": pattern})


@pytest.mark.parametrize(
    ("replacement", "problem"),
    [
        ("$", "illegal group reference"),
        ("$1", "there is no group 1"),
        ("$x", "illegal group reference"),
        ("${n}", "there is no such group"),
        ("\\", "it ends with a backslash"),
    ],
)
def test_a_replacement_that_names_no_group(replacement: str, problem: str) -> None:
    with pytest.raises(SelRuntimeError, match=problem):
        evaluate("'a'.replaceAll('a', r)", {"r": replacement})


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a+)+b", "(a|a)*b", "(a|aa)+b", "(.*)(.*)(.*)(.*)(.*)[^a]"])
def test_patterns_that_never_end_elsewhere_reach_a_limit(pattern: str) -> None:
    with pytest.raises(SelLimit, match="visits_max"):
        evaluate("t.replaceAll(p, '')", {"t": "a" * 500, "p": pattern})


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("." * 1001, "more than 1,000 characters"),
        ("(" * 60 + ")" * 60, "nested deeper than 50"),
        ("a{1001}", "repeats more than 1,000 times"),
        ("(ab){900}" * 3, "more than 2,000 instructions"),
    ],
)
def test_patterns_have_a_size(pattern: str, problem: str) -> None:
    with pytest.raises(SelLimit, match=problem):
        evaluate("'a'.split(p)", {"p": pattern})


PIECES = st.lists(
    st.sampled_from(
        ["a", "b", ".", "[ab]", "[^a]", r"\w", "(a)", "(?:b)", "(a|b)", "a|", "*", "+", "?", "*?", "{1,2}"]
    ),
    max_size=7,
)


@given(PIECES, st.text("ab1 ", max_size=10))
def test_matches_are_those_of_python(pieces: list[str], text: str) -> None:
    """Python's matcher is an independent oracle wherever it accepts the pattern."""
    pattern = "".join(pieces)
    try:
        compiled = re.compile(f"(?:{pattern})")
    except re.error:
        return
    if re.search(r"[*+?}][*+?{]|\)[*+{]|^[{]|[(|][{]", pattern):
        return  # Java repeats nothing where Python takes a brace as it is; loops over nothing end differently
    assert evaluate("t.replaceAll('(?:' + p + ')', '|')", {"t": text, "p": pattern}) == compiled.sub("|", text)
