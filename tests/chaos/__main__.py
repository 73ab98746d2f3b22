"""``python -m tests.chaos --store sqlite|postgres|redis``: a storm, then calm weather with single faults, reported.

``--matrix`` instead: each failpoint with each way to fail, on SQLite. Exit code 1 if a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.matrix import cases, failures
from tests.chaos.report import broken, figures, text
from tests.chaos.storm import Plan, storm
from tests.chaos.targets import STORES

CALM_S = 2.5
FLOWS_PER_S = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--store", choices=STORES)
    what.add_argument("--matrix", action="store_true")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the storm")
    parser.add_argument("--calm", type=float, default=60.0, help="seconds of single kills and stops afterwards")
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    problems = matrix() if given.matrix else storms(given)
    for problem in problems:
        print(f"BROKEN: {problem}", file=sys.stderr)
    return 1 if problems else 0


def storms(given: argparse.Namespace) -> list[str]:
    """What is broken after a storm, and after calm weather."""
    flows, calm_flows = round(FLOWS_PER_S * given.seconds), round(FLOWS_PER_S * given.calm)
    plans = [
        Plan(given.store, given.seed, given.seconds, given.nodes, flows),
        Plan(given.store, given.seed, given.calm, given.nodes, calm_flows, work_s=0.2, calm_s=CALM_S),
    ]
    problems = []
    for plan in plans:
        if plan.seconds > 0:
            tally, verdict = storm(plan)
            found = figures(plan, tally, verdict)
            print(json.dumps(found) if given.json else text(found), flush=True)
            problems += broken(plan, verdict)
    return problems


def matrix() -> list[str]:
    """What is broken after all cases, as many at a time as there are cores."""
    everything = cases()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(failures, everything))
    print(f"{len(everything)} cases, {sum(bool(result) for result in results)} of them broken")
    return [problem for result in results for problem in result]


if __name__ == "__main__":
    sys.exit(main())
