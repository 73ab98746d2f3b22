"""Compiled once, kept within bounds, shared by threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from maestro_flow.errors import SelSyntax
from maestro_flow.sel import evaluate, evaluation, referenced_names


def test_a_program_is_compiled_once() -> None:
    cache = evaluation._Cache()
    program = cache.get("n + 1", 100)
    assert cache.get("n + 1", 100) is program
    assert cache.get("n + 1", 50) is not program
    assert [evaluate("n + 1", {"n": number}) for number in range(5)] == [1, 2, 3, 4, 5]


def test_the_cache_is_bounded_by_number_and_by_size() -> None:
    cache = evaluation._Cache()
    for number in range(cache.PROGRAMS_MAX + 50):
        cache.get(f"{number}", 100)
    assert len(cache._programs) == cache.PROGRAMS_MAX
    for number in range(80):
        cache.get(f"'{number}{'x' * 9_000}'", 100)
    assert cache._chars == sum(len(source) for source, _ in cache._programs) <= cache.CHARS_MAX
    last = "'79" + "x" * 9_000 + "'"
    assert (last, 100) in cache._programs


def test_an_invalid_program_is_not_cached() -> None:
    cache = evaluation._Cache()
    for _ in range(2):
        with pytest.raises(SelSyntax):
            cache.get("1 +", 100)
    assert cache._chars == len(cache._programs) == 0


def test_threads_do_not_see_each_other() -> None:
    """The same programs with different parameters at the same time, while the cache is too small for them all."""
    sources = [f"x = p; for (i = 0; i < 20; i += 1) x += {number}; '' + x" for number in range(40)]

    def work(thread: int) -> list[str]:
        wrong = []
        for turn in range(60):
            number = (thread * 7 + turn) % len(sources)
            value = evaluate(sources[number], {"p": thread})
            if value != str(thread + 20 * number):
                wrong.append(f"{thread}: {sources[number]} = {value!r}")
            if referenced_names(sources[number]) != {"p"}:
                wrong.append(f"{thread}: names of {sources[number]}")
        return wrong

    with ThreadPoolExecutor(8) as threads:
        assert [found for wrong in threads.map(work, range(8)) for found in wrong] == []
