"""MetaTrader 5's numbers and words in ours; the tag's integer form is the order line's own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.mt5 import codes, mapping
from ordergate.model.accounts import CashKind
from ordergate.model.instruments import AssetClass, CalendarName, PositionMode, TradeMode
from ordergate.model.orders import OrderType, Side
from ordergate.model.outcomes import VenueStatus
from ordergate.order.intent import idempotency
from ordergate.testing.mt5 import showing
from ordergate.testing.mt5.server import Server
from ordergate.testing.mt5.structures import SymbolInfo

D = Decimal
PUBLISHED = Path(__file__).resolve().parents[5].parent / "shared" / "doubles"
NAMES = {
    "ACTION_": "TRADE_ACTION_",
    "FILLING_": "ORDER_FILLING_",
    "TIME_": "ORDER_TIME_",
    "STATE_": "ORDER_STATE_",
    "ENTRY_": "DEAL_ENTRY_",
    "REASON_": "DEAL_REASON_",
}


@pytest.mark.parametrize("n", range(50))
def test_the_magic_number_is_the_order_line_s(n: int) -> None:
    tag = idempotency.tag("of some intent", n)
    assert mapping.magic_of(tag) == idempotency.magic(tag) < 2**53
    assert mapping.tag_in(tag, mapping.magic_of(tag), {}) == tag
    assert mapping.tag_in(f"{tag} [more]"[:31], mapping.magic_of(tag), {}) == tag


def test_a_tag_needs_its_magic_number() -> None:
    tag = idempotency.tag("one", 1)
    other = idempotency.tag("two", 1)
    assert mapping.tag_in(tag, 0, {}) is None
    assert mapping.tag_in(tag, 12345, {}) is None
    assert mapping.tag_in(tag, idempotency.magic(other), {}) is None
    assert mapping.tag_in("", idempotency.magic(tag), {}) is None
    assert mapping.tag_in("anything", idempotency.magic(tag), {idempotency.magic(tag): tag}) == tag


def test_our_numbers_are_the_wheel_s() -> None:
    place = PUBLISHED / "mt5_constants_5.0.6231.json"
    if not place.exists():
        pytest.skip("the vendor's constants are not beside this checkout")
    published = json.loads(place.read_text())
    checked = 0
    for name, value in vars(codes).items():
        for ours, theirs in NAMES.items():
            if name.startswith(ours):
                assert published[theirs + name.removeprefix(ours)] == value
                checked += 1
    assert checked == 27
    for name in ("BUY", "SELL", "BUY_LIMIT", "SELL_STOP", "BUY_STOP_LIMIT", "SELL_STOP_LIMIT"):
        assert published[f"ORDER_TYPE_{name}"] == getattr(codes, name)
    assert published["ACCOUNT_MARGIN_MODE_RETAIL_HEDGING"] == codes.HEDGING
    assert published["TIMEFRAME_D1"] == codes.TIMEFRAME_D1


def test_every_number_of_the_wheel_has_a_meaning() -> None:
    assert {mapping.status_of(state) for state in range(10)} == {
        *(VenueStatus.WORKING, VenueStatus.CANCELED, VenueStatus.PARTIAL),
        *(VenueStatus.FILLED, VenueStatus.REJECTED, VenueStatus.EXPIRED),
    }
    assert [mapping.KINDS[kind] for kind in range(9)].count(OrderType.MARKET) == 3
    assert [mapping.side_of(kind) for kind in range(8)] == [Side.BUY, Side.SELL] * 4
    kinds = {mapping.cash_kind(kind, 1.0) for kind in range(2, 18)}
    assert kinds == {
        *(CashKind.DEPOSIT, CashKind.FEE, CashKind.SWAP, CashKind.DIVIDEND, CashKind.OTHER),
    }
    assert mapping.cash_kind(codes.DEAL_BALANCE, -1.0) is CashKind.WITHDRAWAL


def test_floats_become_the_decimals_they_stand_for() -> None:
    assert mapping.number(0.1 + 0.2) == D("0.3")
    assert str(mapping.number(100_000.0)) == "100000"
    assert mapping.price(1.0851, 5) == D("1.0851")
    assert mapping.price(0.0, 5) is None


def test_broker_time_and_back() -> None:
    ahead = timedelta(hours=3)
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert mapping.broker_s(at, ahead) == int(at.timestamp()) + 10_800
    assert mapping.moment(mapping.broker_s(at, ahead) * 1000, ahead) == at


def test_a_symbol_as_an_instrument() -> None:
    server = Server()
    server.tick("EURUSD", 1.085, 1.0851, 0)
    info = showing.symbol(server, server.specs["EURUSD"], selected=True)
    made = mapping.instrument(info, margin_mode=codes.HEDGING, leverage=30)
    assert (made.symbol, made.asset_class, made.base) == ("EURUSD", AssetClass.FX, "EUR")
    assert (made.tick_size, made.lot_step, made.lot_max) == (D("0.00001"), D("0.01"), D(100))
    assert (made.contract_size, made.quote_currency) == (D(100_000), "USD")
    assert made.position_mode is PositionMode.HEDGING
    assert made.swap_long_ticks == D("-6.5")
    assert mapping.instrument(info, margin_mode=codes.NETTING, leverage=30).position_mode is (
        PositionMode.NETTING
    )


@pytest.mark.parametrize(
    ("more", "kind", "base"),
    [
        ({"currency_base": "XAU", "currency_profit": "USD"}, AssetClass.METAL, "XAU"),
        ({"path": "Indices\\US500", "trade_calc_mode": 3}, AssetClass.INDEX, "X"),
        ({"path": "Crypto\\BTCUSD", "trade_calc_mode": 4}, AssetClass.CRYPTO, "X"),
        ({"path": "Energies\\BRENT", "trade_calc_mode": 2}, AssetClass.ENERGY, "X"),
        ({"path": "Stocks\\AAPL", "trade_calc_mode": 32}, AssetClass.EQUITY, "X"),
        ({"path": "Forex\\EURUSD", "currency_base": "EUR"}, AssetClass.FX, "EUR"),
    ],
)
def test_what_a_symbol_is(more: dict[str, object], kind: AssetClass, base: str) -> None:
    info = SymbolInfo(name="X", currency_base="USD", currency_profit="USD", point=0.01)
    info = info._replace(volume_step=0.01, **more)  # type: ignore[arg-type]  # fields by name
    made = mapping.instrument(info, margin_mode=codes.HEDGING, leverage=20)
    assert (made.asset_class, made.base) == (kind, base)
    assert made.trade_mode is TradeMode.DISABLED
    assert made.calendar is (
        {AssetClass.CRYPTO: CalendarName.ALWAYS, AssetClass.FX: CalendarName.FX}.get(kind)
        or (CalendarName.XNYS if kind is AssetClass.EQUITY else CalendarName.METAL)
    )


def test_a_word_outside_of_the_tables_is_no_refusal() -> None:
    assert mapping.refusal("REQUOTE").requote
    assert not mapping.refusal("NO_MONEY").requote
    with pytest.raises(KeyError):
        mapping.refusal("MADE_UP")
