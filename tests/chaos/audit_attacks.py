"""Attacks on the record at random places: three verifiers, in two languages, find the same.

    .venv/bin/python tests/chaos/audit_attacks.py --attacks 5000 --seed 1

Each attack is tried without and with the anchor that somebody else was shown. The seed is printed
and replays the run.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from support.record_attacks import MATRIX, Case, attacked, world  # noqa: E402


def table(cases: list[Case]) -> str:
    """Return the matrix: how often each attack was found, without and with an anchor."""
    lines = [f"{'attack':<30} {'chain, head, checkpoints':>26} {'and an anchor':>16}"]
    for row in MATRIX:
        mine = [case for case in cases if case.row is row]
        cells = []
        for anchored in (False, True):
            tried = [case for case in mine if case.anchored is anchored]
            cells.append(f"{sum(case.found for case in tried)}/{len(tried)}")
        exposed = "" if row.anchored else "  exposed: newer than the anchor"
        lines.append(f"{row.name:<30} {cells[0]:>26} {cells[1]:>16}{exposed}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attacks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if given.seed is None else given.seed
    print(f"{given.attacks} attacks, seed {seed}", flush=True)
    worlds = (world(), world(rotated=True))
    with tempfile.TemporaryDirectory() as place:
        cases = attacked(worlds, MATRIX, given.attacks, seed=seed, place=Path(place))
    print(table(cases))
    problems = [problem for case in cases if (problem := case.problem()) is not None]
    for problem in problems[:20]:
        print(problem)
    print(f"{len(problems)} cells not as the matrix has them; replay with --seed {seed}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
