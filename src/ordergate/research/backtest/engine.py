"""One backtest: a pure function of a request and its bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy

from ordergate.research.backtest.laying import Laid, lay
from ordergate.research.backtest.outcome import MONEY_SCALE, Outcome, Trades
from ordergate.research.backtest.spec import BacktestSpec
from ordergate.research.backtest.tapes import MarketData
from ordergate.research.backtest.wording import word_of
from ordergate.sim import layout
from ordergate.sim.costs import RATE_SCALE
from ordergate.sim.dealing import mark, rate_at, worth, write
from ordergate.sim.walking import walk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[numpy.int64]

VERSION: Final = "1"
CODES: Final[Mapping[int, str]] = {
    layout.R_MARKET_CLOSED: "MARKET_CLOSED",
    layout.R_INVALID_VOLUME: "INVALID_VOLUME",
    layout.R_INVALID_STOPS: "INVALID_STOPS",
    layout.R_INSUFFICIENT_MARGIN: "INSUFFICIENT_MARGIN",
    layout.R_STALE: "DATA_UNAVAILABLE",
    layout.R_STOP_REQUIRED: "STOP_REQUIRED",
    layout.R_INVALID_PRICE: "INVALID_PRICE",
}
Walk = Callable[[layout.Market, layout.Books], int]


def run(spec: BacktestSpec, market: MarketData) -> Outcome:
    """Backtest a request on its bars; raise BadSpec, BadTape or BadStrategy before any work."""
    laid = lay(spec, market)
    return run_laid(laid, word_of(laid))


def run_laid(laid: Laid, word: layout.Word, *, walker: Walk | None = None) -> Outcome:
    """Run what is laid out on a strategy's word."""
    walker = walker or _plain
    market = layout.Market(laid.tape, laid.finer, laid.rolls, word, laid.terms)
    books = _walked(laid, market, walker)
    last = int(books.equity[-1])
    band = (last, last)
    ambiguous = int(books.account[layout.A_AMBIGUOUS])
    if ambiguous:
        other = int(_walked(laid, _turned(market), walker).equity[-1])
        band = (last, other) if not laid.terms.run[layout.TARGET_FIRST] else (other, last)
    return _told(laid, market, books, band=band, compiled=walker is not _plain)


def _plain(market: layout.Market, books: layout.Books) -> int:
    """Walk as plain Python: on lists, several times as fast there as on arrays."""
    done = walk(_listed(market), listed := _lists(books))
    for mine, theirs in zip(books, listed, strict=True):
        numpy.asarray(mine)[:] = theirs
    return done


def _listed(market: layout.Market) -> layout.Market:
    return layout.Market(*(_lists(part) for part in market))


def _lists(part: Any) -> Any:
    return type(part)(*(v.tolist() if isinstance(v, numpy.ndarray) else v for v in part))


def _turned(market: layout.Market) -> layout.Market:
    """Return the same with the other answer for ambiguous bars."""
    run_terms = numpy.array(market.terms.run)
    run_terms[layout.TARGET_FIRST] = 1 - run_terms[layout.TARGET_FIRST]
    return market._replace(terms=market.terms._replace(run=run_terms))


def _walked(laid: Laid, market: layout.Market, walker: Walk) -> layout.Books:
    """Walk with enough room for the trades: all entries, then twice as much until it suffices."""
    room = 16 + int(numpy.count_nonzero(numpy.asarray(market.word.want)))
    room = min(room, 65_536)
    while True:
        books = _books(laid, room)
        walker(market, books)
        fault = books.account[layout.A_FAULT]
        if fault == layout.TOO_LARGE:
            raise OverflowError("the account grew beyond what can be counted exactly")
        if fault == layout.NO_FAULT:
            return books
        room *= 4


def _books(laid: Laid, room: int) -> layout.Books:
    symbols = len(laid.tapes)
    open_most = 2 * symbols * laid.spec.filling.per_symbol

    def table(rows: int, width: int = 1) -> Ints:
        return numpy.zeros(rows * width, dtype=numpy.int64)

    account = table(layout.ACCOUNT_WIDTH)
    account[layout.A_BALANCE] = laid.terms.run[layout.BALANCE]
    orders = table(2 * open_most, layout.ORDER_WIDTH)
    orders[layout.O_KIND :: layout.ORDER_WIDTH] = -1
    return layout.Books(
        account=account,
        positions=table(open_most, layout.POSITION_WIDTH),
        orders=orders,
        trades=table(room, layout.TRADE_WIDTH),
        equity=numpy.empty(len(laid), dtype=numpy.int64),
        marks=table(symbols, 2),
        refused=table(layout.REFUSALS_WIDTH),
        tally=table(1),
    )


def _told(
    laid: Laid,
    market: layout.Market,
    books: layout.Books,
    *,
    band: tuple[int, int],
    compiled: bool,
) -> Outcome:
    balance = int(books.account[layout.A_BALANCE])
    open_trades = int(books.account[layout.A_OPEN])
    marked = _marked(market, books)
    return Outcome(
        time=laid.ends,
        equity=numpy.asarray(books.equity),
        money_scale=MONEY_SCALE,
        trades=_trades(laid, marked),
        open_trades=open_trades,
        refused={
            code: int(books.refused[place]) for place, code in CODES.items() if books.refused[place]
        },
        ambiguous=int(books.account[layout.A_AMBIGUOUS]),
        band=band,
        start=int(laid.terms.run[layout.BALANCE]),
        balance=balance,
        stop_outs=int(books.account[layout.A_STOP_OUTS]),
        data_sha256=laid.data_sha256,
        engine=VERSION,
        compiled=compiled,
        seed=laid.spec.seed,
    )


def _marked(market: layout.Market, books: layout.Books) -> Ints:
    """Return the trades, then the open positions as trades at the last prices (rule 14)."""
    last = len(books.equity) - 1
    count = int(books.account[layout.A_TRADES])
    width, of = layout.TRADE_WIDTH, layout.POSITION_WIDTH
    held = numpy.asarray(books.positions).reshape(-1, of)[:, layout.P_STEPS]
    open_rows = numpy.flatnonzero(held)
    room = numpy.zeros((count + len(open_rows)) * width, dtype=numpy.int64)
    room[: count * width] = numpy.asarray(books.trades)[: count * width]
    whole = books._replace(trades=room)
    for row in open_rows.tolist():
        symbol = int(books.positions[row * of + layout.P_SYMBOL])
        steps, price = int(books.positions[row * of + layout.P_STEPS]), int(mark(books, row))
        rate = int(rate_at(market, last, symbol))
        earned = worth(market, books, row, price, rate)
        place = write(whole, row, last, (steps, price, layout.STILL_OPEN, 0))
        spread = int(books.marks[2 * symbol + 1] - books.marks[2 * symbol])
        room[place + layout.T_REALISED] = earned
        room[place + layout.T_RATE] = rate
        room[place + layout.T_SPREAD] += spread * steps
    return room.reshape(-1, width)


def _trades(laid: Laid, table: Ints) -> Trades:
    value = numpy.asarray(laid.terms.symbols).reshape(-1, layout.SYMBOL_WIDTH)[:, layout.TICK_VALUE]
    each = value[table[:, layout.T_SYMBOL]]
    rate = table[:, layout.T_RATE]

    def worth_of(field: int) -> Ints:
        """Turn half ticks x steps into money of the account, half away from zero."""
        raw = table[:, field] * each
        halved = numpy.sign(raw) * ((numpy.abs(raw) + 1) // 2)
        return _converted(halved, rate)

    steps = table[:, layout.T_STEPS]
    spread, slip, delay = (
        worth_of(field) for field in (layout.T_SPREAD, layout.T_SLIP, layout.T_DELAY)
    )
    fee, swap = table[:, layout.T_FEE], table[:, layout.T_SWAP]
    net = table[:, layout.T_REALISED] - fee + swap
    entered, left = table[:, layout.T_OPENED], table[:, layout.T_CLOSED]
    return Trades(
        symbol=table[:, layout.T_SYMBOL],
        side=table[:, layout.T_SIDE],
        steps=steps,
        entry_time=laid.starts[entered],
        exit_time=laid.ends[left],
        entry_price=(2 * table[:, layout.T_COST] + steps) // numpy.maximum(1, 2 * steps),
        exit_price=table[:, layout.T_PRICE],
        stop=table[:, layout.T_STOP],
        target=table[:, layout.T_TARGET],
        reason=table[:, layout.T_REASON],
        gross=net + spread + slip + delay + fee - swap,
        spread=spread,
        slippage=slip,
        delay=delay,
        commission=fee,
        swap=swap,
        net=net,
        ambiguous=table[:, layout.T_AMBIGUOUS],
    )


def _converted(amounts: Ints, rates: Ints) -> Ints:
    """Do `sim.costs.converted` on columns."""
    if (rates == RATE_SCALE).all():
        return amounts
    size = numpy.abs(amounts)
    whole, rest = size // RATE_SCALE, size % RATE_SCALE
    times, share = rates // RATE_SCALE, rates % RATE_SCALE
    part = (2 * rest * share + RATE_SCALE) // (2 * RATE_SCALE)
    made = numpy.sign(amounts) * (whole * rates + rest * times + part)
    return made.astype(numpy.int64)
