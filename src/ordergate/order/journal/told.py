"""What the record tells of orders, attempts, asks and halts, to hold the tables against it."""

from __future__ import annotations

import json
from collections.abc import Mapping


class Told:
    """The last state that each record of a log, heard in order, gives to what it speaks of."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._halts: set[str] = set()
        self._released: set[str] = set()

    def hear(self, kind: str, corr: str, text: str) -> None:
        """Take one record; of a kind that moves nothing, nothing is kept."""
        of, _, event = kind.partition(".")
        if of not in ("order", "attempt", "ticket", "halt"):
            return
        try:
            body = json.loads(text)["body"]
            match of:
                case "order":
                    self._states[corr] = body["to"]
                case "attempt":
                    self._states[body["attempt"]] = body["to"]
                case "ticket":
                    self._states[body["ticket"]] = "open" if event == "opened" else event
                case _ if event == "engaged":
                    self._halts.add(corr)
                case _ if event == "released":
                    self._halts.discard(corr)
                    self._released.add(corr)
        except (ValueError, KeyError, TypeError):
            return  # the chain's own check says what is wrong with it

    def differs(
        self, states: Mapping[str, str], halts: frozenset[str], *, whole: bool = True
    ) -> str | None:
        """Name the first row that is not as the record tells; None when all are.

        Of a log that was not heard from its first record, only what was heard is compared.
        """
        for name, state in states.items():
            told = self._states.get(name)
            if told != state and (whole or told is not None):
                return f"{name} is {state}, and the record tells {told or 'nothing of it'}"
        lost = self._states.keys() - states.keys()
        if lost:
            return f"{min(lost)} is on record, and its row is gone"
        wrong = (self._halts - halts) | (halts & self._released)
        if whole:
            wrong |= halts - self._halts
        return f"halt {min(wrong)} is not as the record tells" if wrong else None
