"""Orders made around the gate: each shown as external within five seconds, and counted in limits.

Somebody trades at the venue's own app while a real gateway runs: positions, resting orders, sales,
some with an agent's orders between. The clock of an order begins when the venue's file holds it.

    python tests/chaos/around_the_gate.py --orders 20 [--seed S]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.gateway_process import ROOMY, GatewayProcess

SHOWN_S = 5.0
WITHIN_S = 60.0
FOUND = "select 1 from externals where kind = 'order' and venue_id = ?"
LAUNCHER = Path(__file__).parents[1] / "support" / "by_hand_launcher.py"


class Handed(GatewayProcess):
    """A gateway whose venue has an app of its own."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "PYTHONPATH": str(LAUNCHER.parents[1])}


def planted(one: GatewayProcess, chance: random.Random, number: int) -> dict[str, Any]:
    """Return an order as somebody would make it by hand."""
    (quote,) = one.good("get_quotes", symbols=["EURUSD"])["quotes"]
    lots = chance.choice(["0.01", "0.02", "0.05"])
    order: dict[str, Any] = {"tag": f"hand-{number}", "quantity": lots}
    if chance.random() < 0.3:
        far = float(quote["bid"]) * 0.98
        return order | {"side": "buy", "kind": "limit", "limit_price": f"{far:.5f}"}
    return order | {"side": chance.choice(["buy", "sell"])}


def until(sees: Any, what: str) -> float:
    """Wait until it is so; return the seconds it took."""
    began = time.monotonic()
    while not sees():
        if time.monotonic() - began > WITHIN_S:
            raise AssertionError(f"{what}: not within {WITHIN_S:.0f} s")
        time.sleep(0.05)
    return time.monotonic() - began


def counted(one: GatewayProcess) -> int:
    """Return the open positions that the limit counts for an order of now."""
    said = one.good("check_risk", **one.order())
    (row,) = [row for row in said["checklist"] if row["rule"] == "open_positions"]
    return int(row["value"])


def play(orders: int, seed: int, root: Path) -> tuple[list[float], list[str]]:
    """Plant that many orders; return how long each stayed unseen, and what went wrong."""
    chance, late, wrong = random.Random(seed), [], []
    one = Handed(root, ROOMY, launcher=LAUNCHER)
    one.settle_in()
    notes = one.data / "by-hand.jsonl"
    try:
        one.start()
        one.good("get_positions")
        for number in range(orders):
            order = planted(one, chance, number)
            if chance.random() < 0.3:
                one.good("place_order", **one.order())
            before = counted(one)
            with notes.open("a", encoding="utf-8") as file:
                file.write(json.dumps(order) + "\n")
            tag = order["tag"]
            until(lambda t=tag: one.venue("select 1 from orders where tag = ?", t), f"{tag} made")
            ((held,),) = one.venue("select number from orders where tag = ?", tag)
            took = until(lambda h=held: one.book(FOUND, f"O{h}"), f"{tag} shown")
            late.append(took)
            if took > SHOWN_S:
                wrong.append(f"{tag} was unseen for {took:.1f} s")
            if "kind" not in order and counted(one) != before + 1:
                wrong.append(f"{tag} does not count: {counted(one)} positions after {before}")
        shown = [
            row for row in one.good("get_positions", limit=100)["positions"] if row["external"]
        ]
        made = one.venue("select 1 from positions where steps > 0 and tag like 'hand-%'")
        if len(shown) != len(made):
            wrong.append(f"{len(shown)} positions are shown as external, {len(made)} are")
        if one.verified() != 0:
            wrong.append("the record does not verify")
    finally:
        one.close()
    return late, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--seed", type=int, help="printed when not given")
    given = parser.parse_args()
    seed = secrets.randbelow(2**31) if given.seed is None else given.seed
    print(f"{given.orders} orders around the gate, seed {seed}", flush=True)
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    with tempfile.TemporaryDirectory(prefix="around-") as folder:
        late, wrong = play(given.orders, seed, Path(folder))
    for one in wrong:
        print(one)
    print(
        f"{len(late)} planted, all shown: slowest {max(late):.1f} s, median"
        f" {sorted(late)[len(late) // 2]:.1f} s, {len(wrong)} faults, seed {seed}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
