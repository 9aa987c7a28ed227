"""What the data line answers: numbers with their source, the bar they are of, and its age."""

from __future__ import annotations

from ordergate.surfaces.catalogue.fields import Result
from ordergate.surfaces.catalogue.news_results import ReleaseItem, ToneItem
from ordergate.surfaces.catalogue.results import QuoteItem, Sourced, UntrustedText


class ReadingItem(Result):
    name: str
    value: str


class SignalResult(Sourced):
    """A proposal of the last closed bar, whose end is `as_of`; never an order.

    `proposed` is false where `held_back` says why. `entry` is that bar's close.
    """

    symbol: str
    timeframe: str
    strategy: str
    direction: str
    proposed: bool
    entry: str | None
    stop: str | None
    target: str | None
    confidence: str | None
    reward_risk: str | None
    edge: str | None
    held_back: list[str]
    reasons: list[str]
    readings: list[ReadingItem]
    columns: list[str]
    bars: int
    required_history: int
    quote: QuoteItem | None  # null: imported bars have no price of now
    notes: list[str]


class ColumnItem(Result):
    """One column; null where the value is not there yet. A condition is "1" or "0"."""

    name: str
    values: list[str | None]
    required_history: int


class FailureItem(Result):
    """What was asked and could not be said, and why."""

    what: str
    code: str
    message: str


class IndicatorsResult(Sourced):
    """Columns of equal length, oldest first; `as_of` is the end of the last bar.

    `last_complete` is false where the running bar was asked for: its values still change, and
    `as_of` is now.
    """

    symbol: str
    timeframe: str
    time: list[str]
    close: list[str]
    columns: list[ColumnItem]
    failures: list[FailureItem]
    bars: int
    last_complete: bool
    next_before: str | None
    notes: list[str]


class ViewItem(Sourced):
    """One timeframe at its last closed bar. Shares and scores are fractions."""

    timeframe: str
    close: str
    change_20: str
    trend: str
    strength: str
    rsi: str
    atr: str
    volatility: str
    volatility_rank: str
    place: str
    signal: str


class LevelItem(Result):
    price: str
    kind: str
    touches: int
    bars_ago: int


class ContextResult(Sourced):
    """Higher timeframes as they were known at `as_of`, the end of the lower one's last bar."""

    symbol: str
    timeframe: str
    views: list[ViewItem]
    levels: list[LevelItem]
    levels_timeframe: str | None
    agreement: str
    failures: list[FailureItem]
    notes: list[str]


class OpportunityItem(Sourced):
    symbol: str
    direction: str
    score: str
    trend: str
    signal: str
    momentum: str
    place: str
    agreement: str
    cost: str | None
    rule_holds: list[str]
    views: list[ViewItem]


class ScanResult(Result):
    """The strongest first. Every symbol and timeframe asked for is scored or in `failures`."""

    opportunities: list[OpportunityItem]
    failures: list[FailureItem]
    scanned: int
    matched: int
    left_out: int
    strategy: str
    rule: str | None
    notes: list[str]
    source: str
    synthetic: bool
    as_of: str


class CompareItem(OpportunityItem):
    spread: str | None
    correlation: str | None  # of the closes' changes with the first symbol's, last 100 common bars


class CompareResult(Result):
    timeframe: str
    symbols: list[CompareItem]
    failures: list[FailureItem]
    notes: list[str]
    source: str
    synthetic: bool
    as_of: str


class ProfileItem(Result):
    busiest: str
    value_low: str
    value_high: str
    by: str


class PacketSignal(Sourced):
    timeframe: str
    strategy: str
    direction: str
    proposed: bool
    entry: str | None
    stop: str | None
    target: str | None
    confidence: str | None
    edge: str | None
    held_back: list[str]


class PacketPosition(Result):
    position_id: str
    side: str
    quantity: str
    open_price: str
    stop_loss: str | None
    take_profit: str | None
    open_pnl: str | None


class HeadroomItem(Result):
    limit_name: str
    headroom: str
    limit: str
    unit: str


class PacketArticle(Result):
    """A title alone; market_research has the text."""

    title: UntrustedText
    published_at: str | None
    age_s: str | None
    sentiment: str | None


class PacketResult(Sourced):
    """`left_out` names what was not asked for, cannot be said, or was cut to fit the length.

    Imported bars say nothing of now: then quote, positions, headroom, killed and mode are empty.
    """

    symbol: str
    detail: str
    quote: QuoteItem | None
    opens_or_closes_at: str | None
    score: OpportunityItem | None
    levels: list[LevelItem]
    levels_timeframe: str | None
    profile: ProfileItem | None
    signals: list[PacketSignal]
    positions: list[PacketPosition] | None  # null: the account cannot be read
    smallest_order: str | None
    headroom: list[HeadroomItem]
    killed: bool | None
    mode: str | None
    news: list[PacketArticle] | None  # null: not asked for, or none could be read
    tone: ToneItem | None
    releases: list[ReleaseItem] | None
    left_out: list[str]
    failures: list[FailureItem]
    notes: list[str]
