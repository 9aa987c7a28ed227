"""MetaTrader 5's words and numbers, and what they mean to us. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ordergate.adapters.venues.mt5 import codes
from ordergate.model.accounts import CashKind
from ordergate.model.errors import Code
from ordergate.model.instruments import (
    AssetClass,
    CalendarName,
    Instrument,
    PositionMode,
    TradeMode,
)
from ordergate.model.orders import OrderType, Side, TimeInForce
from ordergate.model.outcomes import VenueRefusal, VenueStatus
from ordergate.model.values import Symbol, Tag

TAG_CHARS: Final = 14
_TAG: Final = re.compile(r"G[0-9A-HJKMNP-TV-Z]{13}", re.ASCII)
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIX: Final = 0x0D6  # 10 bits over the tag's low 43: our orders' magic numbers
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a definitive return code means; `requote`: a new attempt with fresh facts may follow."""

    word: str
    code: Code
    meaning: str
    requote: bool = False


# Definitive: nothing was executed (venues.md 3.6). A number that is not here proves nothing.
RETCODES: Final[Mapping[int, Refusal]] = {
    10004: Refusal("REQUOTE", Code.REQUOTE, "the price has moved", requote=True),
    10006: Refusal("REJECT", Code.REJECTED_BY_SERVER, "the broker refused it"),
    10007: Refusal("CANCEL", Code.REJECTED_BY_SERVER, "cancelled by hand in the terminal"),
    10013: Refusal("INVALID", Code.REJECTED_BY_SERVER, "the server calls the request invalid"),
    10014: Refusal("INVALID_VOLUME", Code.INVALID_VOLUME, "the size is not tradable"),
    10015: Refusal("INVALID_PRICE", Code.INVALID_PRICE, "the price does not fit the market"),
    10016: Refusal("INVALID_STOPS", Code.INVALID_STOPS, "stop or target too near or wrong"),
    10017: Refusal("TRADE_DISABLED", Code.REJECTED_BY_SERVER, "trading is disabled"),
    10018: Refusal("MARKET_CLOSED", Code.MARKET_CLOSED, "the market is closed"),
    10019: Refusal("NO_MONEY", Code.INSUFFICIENT_MARGIN, "not enough free margin"),
    10020: Refusal("PRICE_CHANGED", Code.REQUOTE, "the price has changed", requote=True),
    10021: Refusal("PRICE_OFF", Code.DATA_UNAVAILABLE, "the broker has no quotes for it now"),
    10022: Refusal("INVALID_EXPIRATION", Code.INVALID_ARGUMENT, "the expiry is not allowed"),
    10024: Refusal("TOO_MANY_REQUESTS", Code.RATE_LIMIT_EXCEEDED, "too often", requote=True),
    10026: Refusal(
        "SERVER_DISABLES_AT", Code.REJECTED_BY_SERVER, "the broker lets no programs trade"
    ),
    10027: Refusal(
        "CLIENT_DISABLES_AT", Code.REJECTED_BY_SERVER, "the AlgoTrading button is off: press it"
    ),
    10030: Refusal(
        "INVALID_FILL", Code.NOT_SUPPORTED, "this filling mode is not taken", requote=True
    ),
    10032: Refusal("ONLY_REAL", Code.REJECTED_BY_SERVER, "for live accounts alone"),
    10033: Refusal("LIMIT_ORDERS", Code.REJECTED_BY_SERVER, "too many pending orders"),
    10034: Refusal("LIMIT_VOLUME", Code.REJECTED_BY_SERVER, "the symbol's volume limit"),
    10035: Refusal("INVALID_ORDER", Code.NOT_SUPPORTED, "no orders of this kind here"),
    10040: Refusal("LIMIT_POSITIONS", Code.REJECTED_BY_SERVER, "too many open positions"),
    10042: Refusal("LONG_ONLY", Code.SHORT_NOT_ALLOWED, "the symbol may only be bought"),
    10043: Refusal("SHORT_ONLY", Code.REJECTED_BY_SERVER, "the symbol may only be sold"),
    10044: Refusal("CLOSE_ONLY", Code.REJECTED_BY_SERVER, "the symbol may only be closed"),
    10045: Refusal("FIFO_CLOSE", Code.REJECTED_BY_SERVER, "the oldest position closes first"),
    10046: Refusal("HEDGE_PROHIBITED", Code.REJECTED_BY_SERVER, "no opposite positions here"),
}
# To be read again before anything is believed; what they say once it was read is definitive.
REREAD: Final[Mapping[int, Refusal]] = {
    10023: Refusal("ORDER_CHANGED", Code.REJECTED_BY_SERVER, "the order has changed meanwhile"),
    10029: Refusal("FROZEN", Code.REJECTED_BY_SERVER, "too near to the market to be changed"),
    10036: Refusal("POSITION_CLOSED", Code.REJECTED_BY_SERVER, "there is no such position"),
    10038: Refusal("INVALID_CLOSE_VOLUME", Code.EXCEEDS_POSITION, "more than the position holds"),
    10039: Refusal("CLOSE_ORDER_EXIST", Code.REJECTED_BY_SERVER, "a close is already working"),
    10041: Refusal("REJECT_CANCEL", Code.REJECTED_BY_SERVER, "not activated, and cancelled"),
}
# Our own words, for what is seen before anything is sent.
BEFORE: Final[Mapping[str, Refusal]] = {
    known.word: known
    for known in (
        Refusal("SYMBOL_NOT_FOUND", Code.SYMBOL_NOT_FOUND, "no such symbol at this broker"),
        Refusal("ACCOUNT_MISMATCH", Code.REJECTED_BY_SERVER, "the terminal is on another account"),
        Refusal("INVALID_SIDE", Code.REJECTED_BY_SERVER, "a close trades against its position"),
        Refusal("UNKNOWN_ORDER", Code.RESOURCE_NOT_FOUND, "no such order"),
        Refusal("ORDER_CLOSED", Code.REJECTED_BY_SERVER, "the order has ended"),
        Refusal("NOT_OFFERED", Code.NOT_SUPPORTED, "MetaTrader 5 does not offer it"),
        Refusal("DUPLICATE_TAG", Code.DUPLICATE_ORDER, "this tag was sent before; look it up"),
    )
}
REFUSALS: Final[Mapping[str, Code]] = {
    known.word: known.code for known in (*RETCODES.values(), *REREAD.values(), *BEFORE.values())
}
_BY_WORD: Final = {
    known.word: known for known in (*RETCODES.values(), *REREAD.values(), *BEFORE.values())
}


def refusal(word: str, reason: str = "") -> VenueRefusal:
    """Return the refusal to raise for a word of the tables; another word is a KeyError."""
    known = _BY_WORD[word]
    return VenueRefusal(word, reason or known.meaning, requote=known.requote)


def magic_of(tag: str) -> int:
    """Return the integer form of a tag, below 2^53."""
    bits = 0
    for letter in tag[1:]:
        bits = (bits << 5) | _LETTERS.index(letter)
    return (bits & ((1 << 43) - 1)) | (_PREFIX << 43)


def is_ours(magic: int) -> bool:
    """Say whether a magic number has the form of a gateway's."""
    return magic >> 43 == _PREFIX


def tag_in(comment: str, magic: int, known: Mapping[int, Tag]) -> Tag | None:
    """Return the tag of an order, a deal or a position; None = not ours.

    The magic number decides, the comment spells the tag out. A server may have changed the comment;
    then `known` (magic -> tag) says what was sent. A comment without its magic is somebody's copy.
    """
    if not is_ours(magic):
        return None
    found = known.get(magic)
    if found is not None:
        return found
    spelt = comment[:TAG_CHARS]
    return Tag(spelt) if _TAG.fullmatch(spelt) and magic_of(spelt) == magic else None


def number(value: float, digits: int = 8) -> Decimal:
    """Return a float of the API as the decimal it stands for, to `digits` places."""
    return Decimal(f"{value:.{digits}f}").normalize() + Decimal(0)


def price(value: float, digits: int) -> Decimal | None:
    """Return a price, None where the API has 0 for "not set"."""
    return number(value, digits) if value else None


def moment(broker_msc: int, offset: timedelta) -> datetime:
    """Return a broker's time as ours; `offset` is the broker's clock less UTC."""
    return _EPOCH + timedelta(milliseconds=broker_msc) - offset


def broker_s(at: datetime, offset: timedelta) -> int:
    """Return a moment in the broker's seconds."""
    return int((at + offset - _EPOCH).total_seconds())


KINDS: Final[Mapping[int, OrderType]] = {
    codes.BUY: OrderType.MARKET,
    codes.SELL: OrderType.MARKET,
    codes.BUY_LIMIT: OrderType.LIMIT,
    codes.SELL_LIMIT: OrderType.LIMIT,
    codes.BUY_STOP: OrderType.STOP,
    codes.SELL_STOP: OrderType.STOP,
    codes.BUY_STOP_LIMIT: OrderType.STOP_LIMIT,
    codes.SELL_STOP_LIMIT: OrderType.STOP_LIMIT,
    codes.CLOSE_BY: OrderType.MARKET,
}
NUMBERS: Final[Mapping[tuple[OrderType, Side], int]] = {
    (OrderType.MARKET, Side.BUY): codes.BUY,
    (OrderType.MARKET, Side.SELL): codes.SELL,
    (OrderType.LIMIT, Side.BUY): codes.BUY_LIMIT,
    (OrderType.LIMIT, Side.SELL): codes.SELL_LIMIT,
    (OrderType.STOP, Side.BUY): codes.BUY_STOP,
    (OrderType.STOP, Side.SELL): codes.SELL_STOP,
    (OrderType.STOP_LIMIT, Side.BUY): codes.BUY_STOP_LIMIT,
    (OrderType.STOP_LIMIT, Side.SELL): codes.SELL_STOP_LIMIT,
}
_BUYS: Final = frozenset({codes.BUY, codes.BUY_LIMIT, codes.BUY_STOP, codes.BUY_STOP_LIMIT})
TIMES: Final[Mapping[int, TimeInForce]] = {
    codes.TIME_GTC: TimeInForce.GTC,
    codes.TIME_DAY: TimeInForce.DAY,
    codes.TIME_SPECIFIED: TimeInForce.GTD,
    codes.TIME_SPECIFIED_DAY: TimeInForce.GTD,
}
_STATES: Final[Mapping[int, VenueStatus]] = {
    codes.STATE_CANCELED: VenueStatus.CANCELED,
    codes.STATE_PARTIAL: VenueStatus.PARTIAL,
    codes.STATE_FILLED: VenueStatus.FILLED,
    codes.STATE_REJECTED: VenueStatus.REJECTED,
    codes.STATE_EXPIRED: VenueStatus.EXPIRED,
}
REASONS: Final[Mapping[int, str]] = {
    codes.REASON_SL: "stop_loss",
    codes.REASON_TP: "take_profit",
    codes.REASON_SO: "stop_out",
}


def side_of(kind: int) -> Side:
    return Side.BUY if kind in _BUYS else Side.SELL


def status_of(state: int) -> VenueStatus:
    """Return an order's status; one that is on its way counts as working."""
    return _STATES.get(state, VenueStatus.WORKING)


def cash_kind(deal_type: int, amount: float) -> CashKind:
    if deal_type in (codes.DEAL_BALANCE, codes.DEAL_CREDIT, codes.DEAL_BONUS):
        return CashKind.DEPOSIT if amount >= 0 else CashKind.WITHDRAWAL
    if deal_type in codes.DEAL_DIVIDENDS:
        return CashKind.DIVIDEND
    if deal_type == codes.DEAL_INTEREST:
        return CashKind.SWAP
    if deal_type in codes.DEAL_COMMISSIONS or deal_type in (codes.DEAL_CHARGE, codes.DEAL_TAX):
        return CashKind.FEE
    return CashKind.OTHER


_TRADE_MODES: Final = {
    0: TradeMode.DISABLED,
    1: TradeMode.LONG_ONLY,
    2: TradeMode.SHORT_ONLY,
    3: TradeMode.CLOSE_ONLY,
    4: TradeMode.FULL,
}
_FOLDERS: Final = (  # words of a symbol's path, first match counts
    (("crypto", "coin"), AssetClass.CRYPTO),
    (("metal", "gold", "silver"), AssetClass.METAL),
    (("energ", "oil", "gas"), AssetClass.ENERGY),
    (("indic", "index"), AssetClass.INDEX),
    (("stock", "share", "equit"), AssetClass.EQUITY),
)
_CALENDARS: Final = {
    AssetClass.FX: CalendarName.FX,
    AssetClass.METAL: CalendarName.METAL,
    AssetClass.INDEX: CalendarName.METAL,  # CFDs trade round the clock but for the evening break
    AssetClass.ENERGY: CalendarName.METAL,
    AssetClass.EQUITY: CalendarName.XNYS,
    AssetClass.CRYPTO: CalendarName.ALWAYS,
}


def asset_class(info: Any) -> AssetClass:
    """Return what a symbol is, from its currencies, its folder and how its margin is counted."""
    if info.currency_base in ("XAU", "XAG", "XPT", "XPD"):
        return AssetClass.METAL
    words = f"{info.path} {info.description}".lower()
    if info.trade_calc_mode not in codes.CALC_FOREX:
        for marks, found in _FOLDERS:
            if any(mark in words for mark in marks):
                return found
        return AssetClass.INDEX
    return AssetClass.CRYPTO if "crypto" in words else AssetClass.FX


def instrument(info: Any, *, margin_mode: int, leverage: int) -> Instrument:
    """Return a symbol's specification; sizes in lots, prices in its profit currency."""
    kind = asset_class(info)
    base = info.currency_base
    if kind not in (AssetClass.FX, AssetClass.METAL) and base == info.currency_profit:
        base = info.name
    tick = number(info.trade_tick_size or info.point, 10)
    points = info.swap_mode == codes.SWAP_POINTS
    ticks_a_point = number(info.point, 10) / tick
    hedging = margin_mode == codes.HEDGING
    return Instrument(
        symbol=Symbol(info.name),
        description=info.description or info.name,
        asset_class=kind,
        base=base,
        quote_currency=info.currency_profit,
        contract_size=number(info.trade_contract_size),
        tick_size=tick,
        lot_step=number(info.volume_step),
        lot_min=number(info.volume_min),
        lot_max=number(info.volume_max),
        calendar=_CALENDARS[kind],
        position_mode=PositionMode.HEDGING if hedging else PositionMode.NETTING,
        leverage=max(leverage, 1),
        stops_level_ticks=int(info.trade_stops_level * ticks_a_point),
        swap_long_ticks=number(info.swap_long) * ticks_a_point if points else Decimal(0),
        swap_short_ticks=number(info.swap_short) * ticks_a_point if points else Decimal(0),
        trade_mode=_TRADE_MODES.get(info.trade_mode, TradeMode.DISABLED),
    )
