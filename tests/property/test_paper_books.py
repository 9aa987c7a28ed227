"""Whatever is traded: cash is conserved, exits never pass positions, a close never reverses."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.accounts import VenueSnapshot
from ordergate.model.outcomes import Fill, FillEffect, VenueRefusal
from support.examples import examples
from support.manual_market import STANDARD, ManualMarket
from support.paper import PaperBench

D = Decimal
HALF_A_CENT = D("0.005")
INSTRUMENTS = tuple(replace(i, commission_per_lot=D("3.5")) for i in STANDARD)
SYMBOLS = {"EURUSD": (110_000, D("0.00001"), D("0.01")), "AAPL": (20_000, D("0.01"), D(1))}

symbols = st.sampled_from(sorted(SYMBOLS))
sides = st.sampled_from(["buy", "sell"])
steps = st.integers(1, 200)
moves = st.integers(-800, 800)
acts = st.one_of(
    st.tuples(st.just("price"), symbols, moves, moves, moves),
    st.tuples(st.just("market"), symbols, sides, steps),
    st.tuples(st.just("rest"), symbols, sides, steps, moves, st.booleans()),
    st.tuples(st.just("close"), sides, steps),
    st.tuples(st.just("rest_exit"), steps, moves),
    st.tuples(st.just("reduce"), symbols, sides, steps),
    st.tuples(st.just("stops"), moves, moves),
    st.tuples(st.just("night")),
)


class Trading:
    """Carries out acts on a venue; what the venue refuses is refused."""

    def __init__(self, folder: Path) -> None:
        terms = PaperTerms(fill_cap=D(1), slippage_ticks=2, balance=D(20_000))
        self.bench = PaperBench(folder, market=ManualMarket(instruments=INSTRUMENTS), terms=terms)
        self.swaps = D(0)
        self.exits: set[str] = set()
        for symbol in SYMBOLS:
            self.price(symbol, 0, 0, 0)

    def do(self, act: tuple[object, ...]) -> None:
        name, *terms = act
        with suppress(VenueRefusal):
            getattr(self, str(name))(*terms)

    def price(self, symbol: str, first: int, high: int, close: int) -> None:
        base, tick, _ = SYMBOLS[symbol]
        for move in (first, high, close):
            bid = (base + move) * tick
            self.bench.market.set(symbol, bid, bid + 10 * tick)

    def market(self, symbol: str, side: str, size: int) -> None:
        self.bench.submit(self.bench.orders.place(side, str(size * SYMBOLS[symbol][2]), symbol))

    def rest(self, symbol: str, side: str, size: int, move: int, stop: bool) -> None:
        base, tick, step = SYMBOLS[symbol]
        price = {"stop_price" if stop else "limit_price": str((base + move) * tick)}
        kind = "stop" if stop else "limit"
        order = self.bench.orders.place(side, str(size * step), symbol, kind, **price)
        self.bench.submit(order)

    def close(self, side: str, size: int) -> None:
        for position in self.bench.snapshot().positions[:1]:
            step = SYMBOLS[position.symbol][2]
            order = self.bench.orders.place(side, str(size * step), position.symbol)
            self.bench.submit(replace(order, position_id=position.position_id))

    def rest_exit(self, size: int, move: int) -> None:
        """Rest two exits that together may be larger than what they close."""
        for position in self.bench.snapshot().positions[:1]:
            base, tick, step = SYMBOLS[position.symbol]
            for by_id in (True, False):
                order = self.bench.orders.place(
                    position.side.opposite.value,
                    str(size * step),
                    position.symbol,
                    "limit",
                    limit_price=str((base + move) * tick),
                    position_id=position.position_id if by_id else None,
                    reduce_only=not by_id,
                )
                self.exits.add(order.tag)
                self.bench.submit(order)

    def reduce(self, symbol: str, side: str, size: int) -> None:
        step = SYMBOLS[symbol][2]
        order = self.bench.orders.place(side, str(size * step), symbol, reduce_only=True)
        self.bench.submit(order)

    def stops(self, stop: int, target: int) -> None:
        for position in self.bench.snapshot().positions[-1:]:
            base, tick, _ = SYMBOLS[position.symbol]
            self.bench.modify(
                position.symbol,
                position_id=position.position_id,
                stop_loss=(base + stop) * tick,
                take_profit=(base + target) * tick,
            )

    def night(self) -> None:
        """Let one rollover pass: nothing but swap touches the balance."""
        before = self.bench.snapshot().account.balance
        self.bench.market.advance(days=1)
        self.swaps += self.bench.snapshot().account.balance - before


def contract(symbol: str) -> Decimal:
    return D(100_000) if symbol == "EURUSD" else D(1)


def cash_of(fill: Fill) -> Decimal:
    value = fill.price * fill.quantity * contract(fill.symbol)
    return -value if fill.side.value == "buy" else value


def worth_of(snapshot: VenueSnapshot) -> Decimal:
    worth = D(0)
    for p in snapshot.positions:
        assert p.current_price is not None
        value = p.current_price * p.quantity * contract(p.symbol)
        worth += value if p.side.value == "buy" else -value
    return worth


@examples(50)
@given(st.lists(acts, min_size=4, max_size=16))
@example(
    [
        ("market", "EURUSD", "buy", 50),
        ("rest_exit", 50, 100),
        ("price", "EURUSD", 200, 200, 200),
    ]
)
def test_the_books_hold_whatever_is_traded(plan: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trading = Trading(Path(folder))
        for act in plan:
            trading.do(act)
        snapshot, fills = trading.bench.snapshot(), trading.bench.history().fills
        _cash_is_conserved(snapshot, fills, trading.swaps)
        _exits_never_pass_positions(snapshot, fills)
        assert all(f.effect is FillEffect.CLOSING for f in fills if f.tag in trading.exits)
        trading.bench.crash()
        assert trading.bench.snapshot() == snapshot


def _cash_is_conserved(snapshot: VenueSnapshot, fills: tuple[Fill, ...], swaps: Decimal) -> None:
    account = snapshot.account
    booked = sum((fill.realised - fill.commission for fill in fills), D(0))
    assert account.balance == D(20_000) + booked + swaps
    assert account.equity == account.balance + account.open_pnl
    gained = sum(map(cash_of, fills), D(0)) + worth_of(snapshot)
    costs = sum((fill.commission for fill in fills), D(0)) - swaps
    slack = HALF_A_CENT * (len(fills) + len(snapshot.positions) + 1)
    assert abs(account.equity - D(20_000) - (gained - costs)) <= slack


def _exits_never_pass_positions(snapshot: VenueSnapshot, fills: tuple[Fill, ...]) -> None:
    left: dict[str, Decimal] = defaultdict(D)
    sides: dict[str, str] = {}
    for fill in fills:
        position = str(fill.position_id)
        if fill.effect is FillEffect.OPENING:
            assert sides.setdefault(position, fill.side.value) == fill.side.value
            left[position] += fill.quantity
        else:
            assert sides[position] != fill.side.value
            left[position] -= fill.quantity
            assert left[position] >= 0
    open_ = {str(p.position_id): p.quantity for p in snapshot.positions}
    assert {position: size for position, size in left.items() if size} == open_
    assert all(sides[str(p.position_id)] == p.side.value for p in snapshot.positions)
