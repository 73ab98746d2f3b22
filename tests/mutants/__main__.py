"""``python -m tests.mutants [NAME...]``: try each mutant, and its tests without it. Exit code 1 if any survives."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.running import Verdict, control, try_mutant
from tests.servers import redis as redis_servers


@contextmanager
def servers(mutants: list[Mutant]) -> Iterator[None]:
    """One Redis for all; each PostgreSQL server listens on its own socket, so its tests start their own."""
    with ExitStack() as stack:
        if any("redis" in mutant.stores for mutant in mutants) and not os.environ.get(redis_servers.URL_VARIABLE):
            server = redis_servers.find_server()
            stack.callback(server.stop)
            stack.callback(os.environ.pop, redis_servers.URL_VARIABLE)
            os.environ[redis_servers.URL_VARIABLE] = server.base
        yield


def both(mutant: Mutant) -> tuple[Verdict, Verdict]:
    return try_mutant(mutant), control(mutant.caught_by)


def main(names: list[str]) -> int:
    if unknown := set(names) - set(MUTANTS):
        print(f"no such mutant: {', '.join(sorted(unknown))}; there are: {', '.join(MUTANTS)}")
        return 2
    mutants = [MUTANTS[name] for name in names or MUTANTS]
    is_good = True
    with servers(mutants), ThreadPoolExecutor(os.cpu_count()) as pool:
        for verdict, without in pool.map(both, mutants):
            is_good &= verdict.word == "caught" and without.word == "survived"
            note = "" if without.word == "survived" else f"  (without it: {without.first or without.output[-300:]})"
            print(f"{verdict.word:8} {verdict.name:26} {verdict.seconds:5.1f} s  {verdict.first}{note}", flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
