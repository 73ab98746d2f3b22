"""``python -m tests.chaos --store sqlite|postgres|redis``: a storm, and its report. Exit code 1 if a promise is broken."""

from __future__ import annotations

import argparse
import json
import sys

from attrs import asdict

from tests.chaos.grounds import STORES
from tests.chaos.storm import Plan, storm
from tests.chaos.verdict import percentile


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--store", choices=STORES, required=True)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--flows", type=int, default=0, help="20 for each second, if not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    flows = given.flows or round(20 * given.seconds)
    plan = Plan(given.store, given.seed, given.seconds, given.nodes, flows)
    verdict = storm(plan)
    print(verdict)
    return 0 if verdict.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
