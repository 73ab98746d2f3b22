"""``python -m tests.simulation``: many seeds on all cores; or ``--seed N --trace``: one of them, in full.

Exit code 1 if a promise is broken; the output then has the command that repeats it.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.play import Report, play


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=2500, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--trace", action="store_true", help="of this one, print what happens")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if given.seed is not None:
        report = play(given.seed, print if given.trace else None)
        print(f"digest {report.digest}")
        return summary([report], 0.0)
    began = time.perf_counter()
    reports = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for report in pool.map(play, range(given.first, given.first + given.seeds), chunksize=10):
            reports.append(report)
            for problem in report.problems:
                print(f"seed {report.seed}: {problem}", flush=True)
    return summary(reports, time.perf_counter() - began)


def summary(reports: list[Report], spent_s: float) -> int:
    """Print what happened, all together; the exit code."""
    counts: Counter[str] = Counter()
    for report in reports:
        counts.update(report.counts)
    steps = sum(report.mailbox_steps for report in reports)
    hours = sum(report.virtual_s for report in reports) / 3600
    print(f"{len(reports)} seeds, {steps:,} steps of mailboxes, {hours:.1f} virtual hours, {spent_s:.0f} s")
    print(", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())))
    bad = [report.seed for report in reports if report.problems]
    if bad:
        print(f"BROKEN: {len(bad)} seeds; python -m tests.simulation --seed {bad[0]} --trace")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
