"""Write the reference pages that come from the code: python docs/generate.py."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from ordergate.adapters.config_files import toml_text
from ordergate.market.features.indicators import (
    COLUMNS,
    HISTORY_MAX,
    INDICATORS,
    call,
    signature,
)
from ordergate.market.scan.ranking import LEAST, POINTS
from ordergate.market.signals.ensemble import SCORE_LEAST, USUAL
from ordergate.market.signals.grammar import (
    CALLS_MAX,
    DEPTH_MAX,
    FUNCTIONS,
    NODES_MAX,
)
from ordergate.market.signals.grammar import (
    MEANINGS as FUNCTION_MEANINGS,
)
from ordergate.market.signals.proposal import Floors
from ordergate.market.signals.strategies import BLUEPRINTS, strategy
from ordergate.market.signals.words import TEXT_MAX
from ordergate.model.errors import Code
from ordergate.model.orders import OrderState
from ordergate.order.journal.lifecycle import (
    ATTEMPT_ENDED,
    CHANGE_TABLE,
    INCIDENTS,
    ORDER_ENDED,
    ORDER_TABLE,
    PLACE_TABLE,
)
from ordergate.order.policy.limits import BY_NAME, SPECS, shown
from ordergate.order.policy.rules.catalogue import CONTROLS, Entry
from ordergate.order.policy.rules.checklist import RULES, Rule, Say
from ordergate.settings.compat import COMPAT, PERCENT
from ordergate.settings.keys import IN_TOML, KEYS, PREFIX, SECRETS
from ordergate.settings.profile import NAMES, profile
from ordergate.surfaces.catalogue.envelope import MEANINGS
from ordergate.surfaces.catalogue.operation import Operation
from ordergate.surfaces.catalogue.operations import listed, operations
from ordergate.surfaces.cli.exits import MEANING, exit_of

REFERENCE: Final = Path(__file__).parent / "reference"
State = TypeVar("State", bound=StrEnum)
MADE: Final = "<!-- Written by docs/generate.py from the code; edit the code instead. -->"

# What a reader should take from each code; the code itself says only what a program needs.
READ_AS: Final[Mapping[Code, str]] = {
    Code.INVALID_ARGUMENT: "an argument is unknown, missing or of the wrong type",
    Code.INVALID_PRICE: "a price is off the tick, or too far from the market",
    Code.INVALID_VOLUME: "a size is off the lot step, or too small or large for the symbol",
    Code.INVALID_STOPS: "a stop or target is on the wrong side, or pays too little for its risk",
    Code.INVALID_TICKET: "the order or position that was named is not there to be changed",
    Code.SYMBOL_NOT_FOUND: "the feed has no such symbol",
    Code.RESOURCE_NOT_FOUND: "nothing of yours has this id",
    Code.NOT_SUPPORTED: "the venue or this build cannot do it",
    Code.PAYLOAD_TOO_LARGE: "the body is larger than any request needs to be",
    Code.UNAUTHENTICATED: "no token or sign-in, or a wrong, revoked or expired one",
    Code.FORBIDDEN: "this kind of principal may never do this",
    Code.RATE_LIMIT_EXCEEDED: "too many calls, or a rule that counts orders is used up",
    Code.LIVE_NOT_ARMED: "live trading is not armed; this build has no live venue",
    Code.EXCEEDS_LOCAL_LIMIT: "one of the operator's limits; the answer names it and what is left",
    Code.STOP_REQUIRED: "an opening order needs a protective stop",
    Code.MARKET_CLOSED: "the symbol's session is closed",
    Code.DUPLICATE_ORDER: "equal to an order that was just sent",
    Code.HALTED: "a halt is in force; exits pass",
    Code.KILL_SWITCH_ACTIVE: "the kill switch is on; exits pass",
    Code.EXCEEDS_POSITION: "more than there is to reduce",
    Code.SHORT_NOT_ALLOWED: "it would sell what is not held",
    Code.IDEMPOTENCY_DIVERGED: "this key was used for another order",
    Code.INVALID_APPROVAL: "the yes does not fit this ask: another order, or decided already",
    Code.NEEDS_REAPPROVAL: "the price left the band; a new ask waits, nothing was sent",
    Code.APPROVAL_DENIED: "the operator said no",
    Code.APPROVAL_EXPIRED: "nobody answered the ask in time",
    Code.ILLEGAL_STATE: "it is in a state in which this cannot be done",
    Code.REQUOTE: "the venue offers another price; the same key may try again",
    Code.REJECTED_BY_SERVER: "the venue said no, definitively",
    Code.INSUFFICIENT_MARGIN: "the venue's margin does not suffice",
    Code.DATA_UNAVAILABLE: "a fact is missing; nothing was made up",
    Code.ORDER_UNKNOWN: "nobody knows yet what became of it; read its status, never resend it",
    Code.NOT_READY: "the gateway is starting or stopping, lets exits alone out, or none runs",
    Code.INTERNAL_ERROR: "something broke inside; the gateway's log has it",
}


def pages() -> dict[str, str]:
    """Return every generated page by file name."""
    return {
        "controls.md": _controls(),
        "errors.md": _errors(),
        "indicators.md": _indicators(),
        "limits.md": _limits(),
        "settings.md": _settings(),
        "states.md": _states(),
        "tools.md": _tools(),
    }


def _controls() -> str:
    rows = [
        (
            entry.number,
            entry.name,
            _done_by(entry),
            "<br>".join(dict.fromkeys(_default(rule) for rule in entry.rules if _default(rule)))
            or entry.default,
            entry.scope,
            *(say.value for say in entry.says()),
            "<br>".join(f"`{code}`" for code in entry.codes),
            "" if entry.halts is None else entry.halts.value,
        )
        for entry in CONTROLS
    ]
    return _page(
        "Controls",
        "Every control of the gate, in the order of the list, with the defaults of the profile "
        "paper-default. A control is one or more rules of the checklist, or stands elsewhere in "
        "the gate. **refuse**: not sent. **warn**: sent; the finding stands in the answer and in "
        "the record, and the venue's word decides. **pass**: not asked. **n/a**: cannot apply. "
        "A missing fact refuses an opening, never an exit.",
        _table(
            (
                *("Control", "What", "Enforced by", "Default", "Counted over"),
                *("Open", "Tighten", "Close", "Cancel", "Codes", "Halts"),
            ),
            rows,
        ),
        "A control that halts stops openings of its scope durably, until an operator releases it "
        "with a typed reason. Counting for C5 and C13 begins anew at the release; a human's yes "
        "to an agent begins the count of its fills and losses anew. No halt stops an exit.",
    )


def _done_by(entry: Entry) -> str:
    rules = ", ".join(f"`{rule.control.rule}`" for rule in entry.rules)
    return "; ".join(filter(None, (rules, entry.where)))


def _default(rule: Rule) -> str:
    spec = BY_NAME.get(rule.control.limit_name or "")
    return "" if spec is None else f"`{shown(spec.default)}` {spec.unit}"


def _errors() -> str:
    codes = [
        (
            f"`{code}`",
            READ_AS[code],
            meaning.status,
            _yes(meaning.retryable),
            _yes(meaning.requires_human),
            exit_of({"ok": False, "error": {"code": code}}).value,
        )
        for code, meaning in MEANINGS.items()
    ]
    return _page(
        "Error codes and exit codes",
        "Every answer is `{ok, data, error}`; `error.code` is one of these and of no others. "
        "`retryable` and `requires_human` stand in the answer, too.",
        _table(("Code", "Read it as", "HTTP", "Retryable", "Needs a human", "CLI exit"), codes),
        "## Exit codes of the command line",
        _table(
            ("Exit", "Means"),
            [(exit_code.value, text) for exit_code, text in MEANING.items()],
        ),
        "An accepted order can still end in another exit code than 0: `approval_required` is 4, "
        "`unknown` and `parked` are 5, and an order that ended badly is 1.",
    )


def _indicators() -> str:
    indicators = [
        (
            f"`{signature(one)}`",
            one.summary,
            ", ".join(f".{output}" for output in one.outputs) if len(one.outputs) > 1 else "",
            call(one.name).warm_up,
            call(one.name).required_history,
            one.formula,
        )
        for one in INDICATORS
    ]
    strategies = [
        (
            f"`{one.name}`",
            one.summary,
            f"`{one.long}`",
            f"`{one.confidence}`",
            ", ".join(f"{each.name} {each.default:g}" for each in one.parameters),
            strategy(one.name).required_history,
        )
        for one in BLUEPRINTS
    ]
    return _page(
        "Indicators, rules, strategies and scores",
        "Everything here is computed from closed bars alone, and answered with its source, the end "
        "of its newest bar (`as_of`) and its age. Try it: `ordergate research indicators EURUSD "
        '"ema(20)" "macd()"`, `ordergate research signal EURUSD`, `ordergate research scan`, '
        "`ordergate research packet EURUSD`.",
        "## Indicators",
        "**Warm-up** is the number of leading bars without a value. **History** is how many bars a "
        "value needs until it no longer tells where the history began, to 1e-9 of the price or of "
        "a scale of 100 points; with fewer the answer is `DATA_UNAVAILABLE` with "
        "`insufficient_history` and both numbers, never a number that another history would "
        "change. An average's history grows with its period: EMA(200) needs "
        f"{call('ema', 200).required_history} bars. A bar that lacks a price is refused with its "
        "time; nothing is filled in. `vwap()` also needs a session's beginning among the bars.",
        _table(("Indicator", "What", "Values", "Warm-up", "History", "Formula"), indicators),
        "Live prices are carried forward bar by bar by handles that give the same values as the "
        "whole series (`tests/property/test_features.py`); the formulas stand once more in plain "
        "Python, and agree to 1e-9 with the same bars blank (`tests/golden/test_indicators.py`).",
        "## Rules",
        "A rule is a comparison, or several joined by `and`, `or`, `not` and brackets. It is read, "
        "never run as code, and means the same in signals, scans and indicator columns.",
        "```text\nema(20) > ema(50) and rsi(14) < 70\n"
        "close > donchian(20).upper[1] and volume > 1.5 * sma(20, volume)\n"
        "macd().line crosses above macd().signal or change(close, 3) / atr(14) > 2\n```",
        "- Columns: " + ", ".join(f"`{name}`" for name in COLUMNS) + ".",
        "- `x[3]` is the value three bars before; indicators of one column take another one as "
        "their last argument: `sma(20, volume)`; arguments may be named: `ema(period=20)`.",
        "- Functions: "
        + ", ".join(
            f"`{name}({', '.join({'v': 'x', 'n': 'n'}[kind] for kind in kinds)})`"
            f" ({FUNCTION_MEANINGS[name]})"
            for name, kinds in FUNCTIONS.items()
        )
        + ".",
        f"- Bounds: {TEXT_MAX} characters, {DEPTH_MAX} levels, {NODES_MAX} parts, {CALLS_MAX} "
        f"indicators, {HISTORY_MAX} bars of history.",
        "- What is not known is not true, and neither is its contrary: a division by zero or a "
        "value still in its warm-up lets no comparison hold, denied or not.",
        "- A mistake is answered with its place (counted from 1), what was expected, and the "
        "nearest name: `rule at 1: expected a column, an indicator or a function, not emma`, "
        "`Did you mean ema?`",
        "## Strategies",
        "A strategy says buy, sell or neither for each bar, with a stop `stop_atr` ATR(14) away "
        "and a target `reward` times as far. The rule to sell mirrors the one to buy. Your own: "
        "`long_when` and `short_when` of `generate_signal`, with confidence 0.5.",
        _table(("Name", "What", "Buys where", "Confidence", "Parameters", "History"), strategies),
        "`ensemble` lets "
        + " and ".join(f"`{name}`" for name in USUAL)
        + " vote: score = (confidence x weight of the buyers - of the sellers) / all weight, taken "
        f"from {SCORE_LEAST} on; the confidence is the same difference over those who voted.",
        "## From signal to proposal",
        "edge = confidence x reward:risk - (1 - confidence) - spread / risk, in units of the risk: "
        "the mean result if the confidence were the chance of the target. **It is a score that no "
        "backtest has calibrated.** A direction is held back, with the reason, below confidence "
        f"{Floors().confidence}, reward:risk {Floors().reward_risk} or edge {Floors().edge:g} (the "
        "operator's `signals.confidence_min`, also as `MIN_SIGNAL_CONFIDENCE`, and "
        "`signals.edge_min`; a request may raise them and never lower them), "
        "while the session is closed, on a quote that is not good or of trades alone (its spread "
        "is not known), and on bars that are late. A "
        "proposal is never an order: the limits judge what is made of it.",
        "## Score of a scan",
        "Each timeframe has "
        + ", ".join(f"{most:g} points of {name}" for name, most in POINTS.items())
        + ", each from minus to plus: the trend (SMA(20) against SMA(50), its slope, and how "
        "straight the last 20 bars went), the strategy's word x confidence, RSI(14) around 50, and "
        "the place in the channel of 20 bars. The n-th shortest timeframe weighs n. The mean is "
        "multiplied by (1 + agreement) / 2, and loses the share of the shortest timeframe's ATR "
        f"that the spread takes. Below {LEAST:g} points either way it names no direction. What "
        "cannot be scored stands in `failures` with its reason.",
        "## Does it know the future?",
        "`ordergate research leakage` puts every strategy and indicator, or your rule, to three "
        "checks: **prefix** (of the first k bars alone every number is the same, bit for bit), "
        "**poison** (whatever stands after k, nothing at or before it changes) and **lag** (an "
        "edge of four standard errors must not vanish, nor appear, with one bar's delay). "
        "`--file` takes recorded bars, `--rule` a rule of yours. It exits with 1 where something "
        "leaks. `tests/unit/research/validation/test_leakage.py` has nine ways to leak, each one "
        "caught.",
    )


def _limits() -> str:
    rows = [
        (
            f"`{spec.name}`",
            f"`{shown(spec.default)}`",
            spec.unit,
            spec.meaning,
            spec.stricter.value,
            _yes(spec.agents_may_tighten),
        )
        for spec in SPECS
    ]
    rules = [
        (
            f"`{rule.control.rule}`",
            rule.control.number,
            f"`{rule.control.limit_name}`" if rule.control.limit_name else "",
            *(_word(say) for say in (rule.tighten, rule.close, rule.cancel)),
        )
        for rule in RULES
    ]
    return _page(
        "Limits and rules",
        "The keys of `[limits]` and `[approval]` in `ordergate.toml`, with the defaults of the "
        "profile paper-default. A limit that is left out has its default; none can be switched "
        "off. The base is the risk profile with the file's numbers over it; all else only "
        "tightens it: tables of an agent, account or venue, compat keys, tightenings.",
        _table(("Key", "Default", "Unit", "Meaning", "Stricter is", "Agents may tighten"), rows),
        "## The risk profiles",
        '`[risk] profile = "conservative"`, or a list of several: of those the strictest number '
        "counts. What a profile does not name stands at its default.",
        _table(("Key", *(f"`{name}`" for name in NAMES)), _profiles()),
        "## Keys of other programs",
        "Under `[compat.<source>]`, or as variables of this name in the environment or `.env`. "
        "Each keeps its own unit and only tightens.",
        _table(("Key", "Limit", "Unit"), _compat()),
        "## The rules, in the order they are asked",
        "In the open lane every rule has its full say. In the other lanes it refuses, only warns, "
        "or is not asked at all. The answer's code is that of the first rule that refuses.",
        _table(("Rule", "Control", "Limit", "Tighten", "Close", "Cancel"), rules),
    )


def _profiles() -> list[tuple[str, ...]]:
    shipped = [profile(name) for name in NAMES]
    return [
        (
            f"`{spec.name}`",
            *(f"`{shown(one.value(spec))}`" if spec.name in one.origin else "" for one in shipped),
        )
        for spec in SPECS
        if any(spec.name in one.origin for one in shipped)
    ]


def _compat() -> list[tuple[str, ...]]:
    return [
        (f"`{name}`", f"`{key.limit_name}`", "percent" if key.per == PERCENT else "the limit's own")
        for name, key in COMPAT.items()
    ]


def _word(say: Say) -> str:
    return {Say.REFUSE: "refuses", Say.WARN: "warns"}.get(say, "not asked")


def _tools() -> str:
    default, data_only = operations(data_only=False), operations(data_only=True)
    shown = {operation.name for operation in listed(default)}
    kept = {operation.name for operation in data_only}
    rows = [
        (
            f"`{operation.name}`",
            operation.toolset.value,
            operation.summary,
            f"`{operation.act.value}`",
            f"`{operation.route.method} {operation.route.path}`",
            _yes(operation.name in shown),
            _yes(operation.name in kept),
        )
        for operation in default
    ]
    aliases = [
        (f"`{method} {path}`", f"`{operation.name}`")
        for operation in default
        for method, path in operation.route.aliases
    ]
    return _page(
        "Tools",
        f"The {len(default)} operations. REST answers them below `/api/v1`, and any of them at "
        f"`POST /api/v1/call/<name>`. MCP lists the {len(shown)} of the default toolsets; "
        '`mcp.toolsets = ["default", "research"]` in `ordergate.toml`, or '
        "`ORDERGATE_MCP__TOOLSETS=default,research` for one client over stdio, lists more. "
        f"With `MCP_DATA_ONLY_MODE=true` only {len(data_only)} are there. None of them approves.",
        _table(
            ("Tool", "Set", "What it does", "Right", "REST", "In MCP by default", "Data only"), rows
        ),
        "## Other names",
        "REST answers these paths as well, for programs that know them.",
        _table(("Path", "Operation"), aliases),
        "## Arguments",
        "A name that is not listed is refused, never dropped.",
        *(_arguments(operation) for operation in default),
    )


def _settings() -> str:
    rows = [
        (
            f"`{key}`",
            _shown_default(key),
            field.description or ("a secret" if key in SECRETS else ""),
            f"`{PREFIX}{key.upper().replace('.', '__')}`",
        )
        for key, field in KEYS.items()
        if key in SECRETS or (key in IN_TOML and field.description)
    ]
    return _page(
        "Settings",
        "Every key of `ordergate.toml` but the limits, which have [their own page](limits.md). "
        "A variable, from the environment or the config directory's `.env`, stands above the file; "
        "a secret is read from `.env`, the environment or a private file alone.",
        _table(("Key", "Default", "Meaning", "Variable"), rows),
    )


def _shown_default(key: str) -> str:
    return "" if key in SECRETS else f"`{toml_text(KEYS[key].get_default())}`"


def _arguments(operation: Operation) -> str:
    fields = [
        f"`{name}`" + (" (required)" if field.is_required() else "")
        for name, field in operation.request.model_fields.items()
    ]
    return f"- **{operation.name}**: {', '.join(fields) or 'none'}"


def _states() -> str:
    drawn = {pair: state for pair, state in ORDER_TABLE.items() if pair[1] != "adopted"}
    adopting = {state for state, event in ORDER_TABLE if event == "adopted"}
    others = ", ".join(f"`{state}`" for state in OrderState if state not in adopting)
    return _page(
        "States of orders and attempts",
        "An order is what was asked. An attempt is one message to the venue about it. "
        "A pair of state and event that is not drawn here is an error.",
        "## Orders",
        _diagram(drawn, ORDER_ENDED),
        f"Not drawn: from every state but {others}, evidence in the venue's own books (`adopted`) "
        "makes an order `active`. The venue wins over what we believed.",
        "## Attempts that place",
        _diagram(PLACE_TABLE, ATTEMPT_ENDED),
        "## Attempts that modify or cancel",
        _diagram(CHANGE_TABLE, ATTEMPT_ENDED),
        "## Incidents",
        "These events are booked as incidents: "
        + ", ".join(f"`{event}`" for event in sorted(INCIDENTS))
        + ".",
    )


def _diagram(table: Mapping[tuple[State | None, str], State], ended: Iterable[State]) -> str:
    """Draw a transition table; events that lead the same way share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (state, event), following in table.items():
        arrows[_state(state), _state(following)].append(event)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [
        f"    {start} --> {end}: {', '.join(events)}" for (start, end), events in arrows.items()
    ]
    reached = {end for _, end in arrows}
    lines += [f"    {_state(state)} --> [*]" for state in sorted(ended) if _state(state) in reached]
    return "\n".join([*lines, "```"])


def _state(state: StrEnum | None) -> str:
    return "[*]" if state is None else state.value


def _yes(holds: bool) -> str:
    return "yes" if holds else ""


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _page(title: str, *parts: str) -> str:
    listed = [f"# {title}", MADE]
    for part in parts:
        if part.startswith("- ") and listed[-1].startswith("- "):
            listed[-1] += f"\n{part}"
        else:
            listed.append(part)
    return "\n\n".join(listed) + "\n"


def main() -> int:
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
