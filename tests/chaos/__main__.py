"""``python -m tests.chaos --store sqlite|postgres|redis``: a storm, then calm weather with single faults, reported.

Exit code 1 if a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import sys

from tests.chaos.grounds import STORES
from tests.chaos.report import broken, figures, text
from tests.chaos.storm import Plan, storm

CALM_S = 2.5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--store", choices=STORES, required=True)
    parser.add_argument("--seconds", type=float, default=60.0, help="of the storm")
    parser.add_argument("--calm", type=float, default=60.0, help="seconds of single kills and stops afterwards")
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    plans = [
        Plan(given.store, given.seed, given.seconds, given.nodes, round(20 * given.seconds)),
        Plan(given.store, given.seed, given.calm, given.nodes, round(20 * given.calm), work_s=0.2, calm_s=CALM_S),
    ]
    problems = []
    for plan in plans:
        if plan.seconds > 0:
            tally, verdict = storm(plan)
            found = figures(plan, tally, verdict)
            print(json.dumps(found) if given.json else text(found), flush=True)
            problems += broken(plan, verdict)
    for problem in problems:
        print(f"BROKEN: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
