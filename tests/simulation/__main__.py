"""``python -m tests.simulation --seeds 2500``, or ``--seed N --trace``."""

from __future__ import annotations

import argparse
import logging
import time

from tests.simulation.play import play


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trace", action="store_true")
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if chosen.seed is not None:
        if chosen.trace:
            logging.disable(logging.NOTSET)
            logging.basicConfig(
                level=logging.DEBUG,
                format="              %(message)s",
                handlers=[__import__("logging").StreamHandler(__import__("sys").stdout)],
            )
        print(play(chosen.seed, print if chosen.trace else None))
        return
    began = time.perf_counter()
    steps = hours = 0
    for seed in range(chosen.first, chosen.first + chosen.seeds):
        try:
            report = play(seed)
        except Exception as error:
            print(f"seed {seed}: {error!r}")
            continue
        steps, hours = steps + report.mailbox_steps, hours + report.virtual_s / 3600
        for problem in report.problems:
            print(f"seed {seed}: {problem}", flush=True)
    spent = time.perf_counter() - began
    print(
        f"{chosen.seeds} seeds, {steps} mailbox steps, {hours:.1f} virtual hours, {spent:.1f} s, {steps / spent:.0f} steps/s"
    )


if __name__ == "__main__":
    main()
