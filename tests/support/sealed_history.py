"""Ask a gate's file, behind its back, whether every state in it is one that the audit tells of."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path


def untold(database: Path) -> list[str]:
    """Return the orders, attempts and tickets whose state is not the last one sealed of them."""
    with sqlite3.connect(database) as file:
        told: dict[str, str] = {}
        for kind, corr, text in file.execute("select kind, corr, body from audit order by seq"):
            body = json.loads(text)["body"]
            if kind.startswith("order."):
                told[corr] = body["to"]
            elif kind.startswith("attempt."):
                told[body["attempt"]] = body["to"]
            elif kind.startswith("ticket."):
                told[body["ticket"]] = kind.removeprefix("ticket.").replace("opened", "open")
        held = [
            *file.execute("select order_id, state from orders"),
            *file.execute("select attempt_id, state from attempts"),
            *file.execute("select ticket_id, state from tickets"),
        ]
    file.close()
    return [f"{name}: {state}" for name, state in held if told.get(name) != state]
