"""What must hold after a history (reliability.md 2.9), judged on plain data alone.

Nothing of the gate is imported: the venue's own books, the wire and the rows of the journal are
compared as they lie there.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]
KEY = b"the simulator's key"
TICKS = 100_000  # of one unit of price
LOT_UNITS = 1_000  # units of the base currency in a hundredth lot
RESTING = ("working", "partial")
IN_DOUBT = ("sending", "unknown", "awaiting_prompt")
UNDECIDED = ("proposed", "approved", "requoted")
SLACK = 1.04  # prices and equity move between the look and the claim
PROTECTED_S = 2.0

# What may be said to an exit: that there is nothing to leave, or that it was asked wrongly.
FORM = {
    "POSITION_NOT_FOUND",
    "ORDER_NOT_FOUND",
    "RESOURCE_NOT_FOUND",
    "EXCEEDS_POSITION",
    "INVALID_STOPS",
    "INVALID_VOLUME",
    "REJECTED_BY_SERVER",
    "DUPLICATE_ORDER",
    "REQUOTE",
    "INVALID_PRICE",
}
EXIT_LANES = ("close", "cancel", "tighten")


def violations(played: Row) -> list[str]:
    """Return every broken promise of a history, each with the invariant's number."""
    case = Case(played)
    found: list[str] = []
    for check in CHECKS:
        found += [f"{check.__doc__.split()[0]} {what}" for what in check(case)]
    return found


class Case:
    """A history's plain data, and a few indexes over it."""

    def __init__(self, played: Row) -> None:
        self.played = played
        self.tables = played["tables"]
        self.venue = played["venue"]
        self.orders = {row["order_id"]: row for row in self.tables["orders"]}
        self.attempts = self.tables["attempts"]
        self.by_tag = {row["tag"]: row for row in self.attempts}
        self.audit = [{**row, "said": json.loads(row["body"])} for row in self.tables["audit"]]
        self.venue_orders = [row for row in self.venue["orders"] if row["tag"] is not None]
        self.placed = {row["tag"]: row for row in self.venue_orders}
        self.refused = {row["tag"] for row in self.venue["refusals"]}
        self.arrived = Counter(row["tag"] for row in self.venue["arrived"])
        self.calm = played["terms"]["weather"].count("=0.0") == played["terms"]["weather"].count(
            "="
        )

    def claims(self) -> Iterator[Row]:
        """Yield the records that put an attempt into SENDING."""
        for row in self.audit:
            if row["kind"] == "attempt.claimed":
                yield row


def once(case: Case) -> Iterator[str]:
    """I1 one execution an attempt, one accepted attempt an intent."""
    for tag, count in Counter(row["tag"] for row in case.venue_orders).items():
        if count > 1:
            yield f"{count} orders at the venue under the tag {tag}"
    by_order: dict[str, list[Row]] = defaultdict(list)
    for attempt in case.attempts:
        if attempt["action"] in ("place", "close"):
            by_order[attempt["order_id"]].append(attempt)
    for order_id, attempts in by_order.items():
        accepted = [one["tag"] for one in attempts if one["tag"] in case.placed]
        if len(accepted) > 1:
            yield f"order {order_id} was accepted {len(accepted)} times"
        for earlier in sorted(attempts, key=lambda one: one["n"])[:-1]:
            if earlier["state"] != "rejected":
                was = f"{earlier['n']} is {earlier['state']}"
                yield f"another attempt of {order_id}, of which number {was}"


def tracked(case: Case) -> Iterator[str]:
    """I2 every execution under a tag is booked, and none was found that nobody had journaled."""
    booked = {row["trade_id"]: row for row in case.tables["fills"]}
    for fill in case.venue["fills"]:
        if fill["tag"] is None:
            continue
        attempt = case.by_tag.get(fill["tag"])
        if attempt is None:
            yield f"execution {fill['trade']} of the unknown tag {fill['tag']}"
        elif fill["trade"] not in booked:
            yield f"execution {fill['trade']} of {fill['tag']} is not booked"
        elif attempt["state"] not in ("filled", "partial", "canceled", "venue_expired", "replaced"):
            yield f"execution {fill['trade']} of an attempt that is {attempt['state']}"
    for row in case.audit:
        if row["kind"].startswith(("attempt.found", "attempt.adopted")):
            yield f"{row['kind']}: it was sent without a journal, or called over too soon"


def nothing_new_under_a_stop(case: Case) -> Iterator[str]:
    """I3 no opening is claimed under a halt of its scope, or without the yes it waits for."""
    halts: dict[str, Row] = {}
    waiting: dict[str, bool] = {}  # orders that were asked about: has a human said yes?
    for row in case.audit:
        said, kind = row["said"]["body"], row["kind"]
        if kind == "halt.engaged":
            halts[row["corr"]] = said
        elif kind == "halt.released":
            halts.pop(row["corr"], None)
        elif kind in ("order.judged_ask", "order.price_left_band"):
            waiting[row["corr"]] = False
        elif kind == "order.yes":
            waiting[row["corr"]] = True
        elif kind == "attempt.claimed":
            attempt = case.by_tag.get(said["tag"])
            if attempt is None or not attempt["opening"]:
                continue
            order = case.orders[row["corr"]]
            if not waiting.get(row["corr"], True):
                yield f"order {row['corr']} was claimed while it waited for a yes"
            for halt in halts.values():
                if _covers(halt, order):
                    yield f"order {row['corr']} was claimed under a {halt['kind']}: {halt['scope']}"


def _covers(halt: Row, order: Row) -> bool:
    named = {
        "global": halt["target"],
        "account": order["account"],
        "agent": order["principal"],
        "symbol": order["symbol"],
    }
    return bool(named[halt["scope"]] == halt["target"])


def journaled_first(case: Case) -> Iterator[str]:
    """I4 never a wire write without a row before it, never two for one row."""
    claimed = {row["said"]["body"]["tag"] for row in case.claims()}
    for tag, count in Counter(row["tag"] for row in case.played["sends"]).items():
        attempt = case.by_tag.get(tag)
        spooled = attempt is not None and not attempt["opening"]  # by the emergency journal
        if tag not in claimed and not spooled:
            yield f"the tag {tag} went over the wire without a claim"
        if count > 1:
            yield f"the tag {tag} went over the wire {count} times"


def books_agree(case: Case) -> Iterator[str]:
    """I5 no more filled than asked for, each trade booked once, the book is the position."""
    filled: Counter[str] = Counter()
    for row in case.tables["fills"]:
        if row["attempt_id"] is not None:
            filled[row["attempt_id"]] += _lots(row["quantity"])
    for attempt in case.attempts:
        asked = attempt["quantity"]
        if attempt["action"] not in ("place", "close") or asked is None:
            continue
        if filled[attempt["attempt_id"]] > _lots(asked):
            yield f"{attempt['tag']}: {filled[attempt['attempt_id']]} filled of {_lots(asked)}"
        there = case.placed.get(attempt["tag"])
        booked = filled[attempt["attempt_id"]]
        if there is not None and booked != there["filled"]:
            yield f"{attempt['tag']}: {booked} booked, {there['filled']} done"
    net: Counter[str] = Counter()
    for row in case.tables["fills"]:
        net[row["symbol"]] += _lots(row["quantity"]) * (1 if row["side"] == "buy" else -1)
    for row in case.venue["positions"]:
        net[row["symbol"]] -= row["lots"] * row["side"]
    for symbol, lots in net.items():
        if lots:
            yield f"the booked fills of {symbol} and the position are {lots} hundredth lots apart"


def within_the_limit(case: Case) -> Iterator[str]:
    """I6 what is held and what may still come is within the limit at each opening's claim."""
    most = float(case.played["terms"]["gross"])
    for commit in case.played["commits"]:
        worth = sum(
            max(row["lots"], 0) * LOT_UNITS * commit["quotes"][row["symbol"]] / TICKS
            for row in (*commit["pending"], *commit["held"])
        )
        if worth > most * commit["equity"] * SLACK:
            yield f"at record {commit['seq']}: {worth:.0f} of {most * commit['equity']:.0f}"


def ended_by_evidence(case: Case) -> Iterator[str]:
    """I7 an attempt ends by the venue's word, by proof that nothing left, or by a human."""
    for attempt in case.attempts:
        tag, state = attempt["tag"], attempt["state"]
        there = case.placed.get(tag)
        placing = attempt["action"] in ("place", "close")
        if state == "not_sent" and case.arrived[tag]:
            yield f"{tag} is not_sent and reached the venue"
        if state == "filled" and (there is None or there["status"] != "filled"):
            yield f"{tag} is filled and is not so at the venue"
        if state == "rejected" and placing and tag not in case.refused:
            yield f"{tag} is rejected and the venue never refused it"
        if state == "canceled" and (there is None or there["status"] != "canceled"):
            yield f"{tag} is canceled and is not so at the venue"
        if state == "applied" and tag not in case.venue["applied"]:
            yield f"{tag} is applied and the venue never did so"
        if state in ("not_applied", "not_sent") and tag in case.venue["applied"]:
            yield f"{tag} is {state} and the venue did it"
        if state == "resolved_not_placed" and there is not None:
            yield f"{tag} was resolved as not placed and stands at the venue"


def keys_replay(case: Case) -> Iterator[str]:
    """I8 one key, one order, however often it is asked."""
    orders: dict[tuple[str, str], set[str]] = defaultdict(set)
    # Where a disk fills up amid a close, what the plan sends in its stead has a key of the gate's.
    steps = {row["order_id"] for row in case.tables["orders"] if row["key"].startswith("exit-")}
    for call in case.played["calls"]:
        answer = call["answer"]
        if call.get("key") and answer and answer.get("order", "") not in {"", *steps}:
            orders[call["who"], call["key"]].add(answer["order"])
    for (who, key), ids in orders.items():
        if len(ids) > 1:
            yield f"the key {key} of {who} made {len(ids)} orders"
    keys = Counter((row["principal"], row["key"]) for row in case.tables["orders"])
    for (who, key), count in keys.items():
        if count > 1:
            yield f"{count} orders under the key {key} of {who}"


def sealed(case: Case) -> Iterator[str]:
    """I9 the log has no gap, its chain and head hold, and every state stands in it."""
    h = bytes(32)
    state: dict[str, str] = {}
    moves: Counter[str] = Counter()
    for place, row in enumerate(case.audit, start=1):
        leaf = hashlib.sha256(b"\x00" + row["body"].encode()).digest()
        h = hashlib.sha256(b"\x00" + h + leaf).digest()
        if row["seq"] != place or row["h"] != h.hex():
            yield f"record {place} is not what was sealed"
            return
        said = row["said"]["body"]
        if row["kind"].startswith("attempt."):
            state[said["attempt"]] = said["to"]
            moves[said["attempt"]] += 1
        elif row["kind"].startswith("order."):
            state[row["corr"]] = said["to"]
    if not case.audit:
        return  # nothing was asked, and nothing happened
    head = case.tables["audit_head"][0]
    signed = {name: head[name] for name in ("epoch", "h", "log_id", "size", "ts")}
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"))
    if head["size"] != len(case.audit) or head["h"] != h.hex():
        yield "the head is not the end of the log"
    if head["sig"] not in _signatures(text, head):
        yield "the head's signature is not over the head"
    for attempt in case.attempts:
        if state.get(attempt["attempt_id"]) != attempt["state"]:
            yield f"attempt {attempt['tag']} is {attempt['state']} without a record"
        if moves[attempt["attempt_id"]] != attempt["ver"]:
            yield f"attempt {attempt['tag']}: {attempt['ver']} moves and not as many records"
    for order in case.orders.values():
        if state.get(order["order_id"]) != order["state"]:
            yield f"order {order['order_id']} is {order['state']} without a record"


def _signatures(text: str, head: Row) -> set[str]:
    return {hmac.digest(KEY, text.encode(), hashlib.sha256).hex()}


def a_human_said_yes(case: Case) -> Iterator[str]:
    """I10 nobody approves what they have proposed, and no agent approves at all."""
    for row in case.audit:
        if row["kind"] == "order.yes":
            order = case.orders[row["corr"]]
            if row["actor"] in (order["principal"], order["drafted_by"]):
                yield f"{row['actor']} approved an order of their own"
            if row["actor"].startswith("agent"):
                yield f"the agent {row['actor']} approved"


def nothing_loosens_itself(case: Case) -> Iterator[str]:
    """I11 I13 a stop ends by the operator's act alone."""
    for row in case.audit:
        if row["kind"] == "halt.released" and row["actor"] != "operator":
            yield f"a halt was released by {row['actor']}"
    released = {row["corr"] for row in case.audit if row["kind"] == "halt.released"}
    for halt in case.tables["halts"]:
        if (halt["released_at"] is not None) != (halt["halt_id"] in released):
            yield f"halt {halt['halt_id']} ended without a record"


def exits_pass(case: Case) -> Iterator[str]:
    """I12 no control refuses an exit, or lets it wait for a yes."""
    for order in case.orders.values():
        if order["lane"] not in EXIT_LANES and order["action"] not in ("close", "cancel"):
            continue
        stopped = order["state"] in ("policy_rejected", "blocked", "killed", "awaiting_approval")
        # An id that neither the books nor a reading of the account know proves no exit.
        unproven = order["lane"] == "open" and order["code"] == "DATA_UNAVAILABLE"
        if stopped and not unproven and order["code"] not in FORM:
            yield f"the {order['action']} {order['order_id']} is {order['state']}: {order['code']}"


def recovered_for_good(case: Case) -> Iterator[str]:
    """I14 a second recovery changes nothing."""
    for earlier, later in zip(case.played["again"], case.played["again"][1:], strict=False):
        for name, rows in earlier.items():
            changed = [row for row in later[name] if row not in rows]
            changed += [row for row in rows if row not in later[name]]
            if changed:
                yield f"{name}: {changed[0]}"


def nothing_stuck(case: Case) -> Iterator[str]:
    """I15 whatever has not ended rests at the venue, waits for a human, or is parked."""
    for attempt in case.attempts:
        state, there = attempt["state"], case.placed.get(attempt["tag"])
        if state in IN_DOUBT:
            yield f"{attempt['tag']} ({attempt['action']}) is still {state}"
        if state in RESTING and (there is None or there["status"] not in RESTING):
            yield f"{attempt['tag']} is {state} and does not rest at the venue"
        if state == "parked" and there is not None:
            yield f"{attempt['tag']} is parked and stands at the venue"
    parked = {row["tag"] for row in case.attempts if row["state"] == "parked"}
    told = {row["said"]["body"]["tag"] for row in case.audit if row["kind"] == "attempt.not_found"}
    for tag in parked - told:
        yield f"{tag} is parked and no alert can know of it"
    for order in case.orders.values():
        # Known: a requote ends by the wall clock, and one that was set back holds it up.
        held_up = order["state"] == "requoted" and case.played["leapt_s"] < 0
        if order["state"] in UNDECIDED and not held_up:
            yield f"order {order['order_id']} ({order['action']}) is still {order['state']}"
    for there in case.venue_orders:
        attempt = case.by_tag.get(there["tag"])
        if there["status"] in RESTING and attempt and attempt["state"] not in RESTING:
            yield f"{there['tag']} rests at the venue and is {attempt['state']}"


def protected(case: Case) -> Iterator[str]:
    """I16 what is held is under a stop, within two seconds in good weather; exits do not exceed."""
    guards = {row["position_id"]: row for row in case.tables["exit_guards"]}
    for position in case.venue["positions"]:
        if position["tag"] is None:
            continue
        if position["exit"]:
            yield f"an exit has opened {position['id']} and it stands"
        elif position["sl"] is None and case.venue["covered"][position["id"]] < position["lots"]:
            guard = guards.get(position["id"])
            told = guard is not None and guard["alarmed"]
            if not told:
                yield f"{position['id']} has no whole stop and nobody was told"
            elif case.calm and not case.played["crashes"]:
                yield f"{position['id']} has no whole stop"
    for position_id, seen in case.venue["naked"].items():
        if case.calm and not case.played["crashes"] and seen["most"] > PROTECTED_S:
            yield f"{position_id} stood {seen['most']:.1f} s without a whole stop"


def nothing_failed(case: Case) -> Iterator[str]:
    """I0 nothing was raised where nobody would have seen it."""
    yield from case.played["troubles"]


def _lots(text: str) -> int:
    return round(float(text) * 100)


CHECKS = (
    once,
    tracked,
    nothing_new_under_a_stop,
    journaled_first,
    books_agree,
    within_the_limit,
    ended_by_evidence,
    keys_replay,
    sealed,
    a_human_said_yes,
    nothing_loosens_itself,
    exits_pass,
    recovered_for_good,
    nothing_stuck,
    protected,
    nothing_failed,
)
