"""One backtest: a pure function of a request and its bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.research.backtest.laying import Laid, lay
from ordergate.research.backtest.outcome import MONEY_SCALE, Outcome, Trades
from ordergate.research.backtest.spec import BacktestSpec, BadSpec
from ordergate.research.backtest.tapes import MarketData
from ordergate.research.backtest.wording import Word, tables_of, word_of
from ordergate.sim import layout
from ordergate.sim.costs import RATE_SCALE
from ordergate.sim.dealing import mark, rate_at, worth, write
from ordergate.sim.walking import walk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[numpy.int64]

VERSION: Final = "1"
ROOM_FIRST: Final = 65_536
BOOKS: Final = ("account", "positions", "orders", "trades", "equity")
CODES: Final[Mapping[int, str]] = {
    layout.R_MARKET_CLOSED: "MARKET_CLOSED",
    layout.R_INVALID_VOLUME: "INVALID_VOLUME",
    layout.R_INVALID_STOPS: "INVALID_STOPS",
    layout.R_INSUFFICIENT_MARGIN: "INSUFFICIENT_MARGIN",
    layout.R_STALE: "DATA_UNAVAILABLE",
    layout.R_STOP_REQUIRED: "STOP_REQUIRED",
    layout.R_INVALID_PRICE: "INVALID_PRICE",
    layout.R_REWARD: "EXCEEDS_LOCAL_LIMIT reward_risk",
    layout.R_QUANTITY: "EXCEEDS_LOCAL_LIMIT order_quantity",
    layout.R_NOTIONAL: "EXCEEDS_LOCAL_LIMIT order_notional",
    layout.R_NOTIONAL_MAX: "EXCEEDS_LOCAL_LIMIT order_notional_max",
    layout.R_RISK: "EXCEEDS_LOCAL_LIMIT risk_per_trade",
}
Walk = Callable[[layout.Run], int]


def run(spec: BacktestSpec, market: MarketData) -> Outcome:
    """Backtest a request on its bars; raise BadSpec, BadTape or BadStrategy before any work."""
    laid = lay(spec, market)
    return run_laid(laid, word_of(laid))


def run_laid(laid: Laid, word: Word, *, walker: Walk | None = None) -> Outcome:
    """Run what is laid out on a strategy's word."""
    walker = walker or plain
    done = walked(laid, word, walker)
    last = int(done.equity[-1])
    band = (last, last)
    if done.account[layout.A_AMBIGUOUS]:
        turned = laid.terms.copy()
        turned[layout.TARGET_FIRST] = 1 - turned[layout.TARGET_FIRST]
        other = int(walked(replace(laid, terms=turned), word, walker).equity[-1])
        band = (last, other) if not laid.terms[layout.TARGET_FIRST] else (other, last)
    return _told(laid, done, band=band, compiled=walker is not plain)


def plain(run: layout.Run) -> int:
    """Walk as plain Python: on lists, several times as fast there as on arrays."""
    lists = layout.Run(*(numpy.asarray(column).tolist() for column in run))
    done = walk(lists)
    for name in BOOKS:
        numpy.asarray(getattr(run, name))[:] = getattr(lists, name)
    return done


def walked(laid: Laid, word: Word, walker: Walk) -> Books:
    """Walk with enough room for the trades: a guess, then more until it suffices."""
    table, made = tables_of(laid, word)
    room = min(ROOM_FIRST, 16 + int(numpy.count_nonzero(word.want)))
    while True:
        books = _books(laid, room)
        walker(
            layout.Run(
                bid=laid.bid,
                ask=laid.ask,
                extra=laid.extra,
                finer=laid.finer,
                rolls=laid.rolls,
                terms=made,
                want=word.want,
                word=table,
                account=books.account,
                positions=books.positions,
                orders=books.orders,
                trades=books.trades,
                equity=books.equity,
            )
        )
        fault = books.account[layout.A_FAULT]
        if fault == layout.TOO_LARGE:
            raise BadSpec(
                "the account grew beyond what can be counted exactly", fix="Trade smaller sizes."
            )
        if fault == layout.NO_FAULT:
            return books
        room *= 4


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """The books of a run as they stand after it."""

    account: Ints
    positions: Ints
    orders: Ints
    trades: Ints
    equity: Ints


def _books(laid: Laid, room: int) -> Books:
    symbols = len(laid.tapes)
    rows = 2 * symbols * laid.spec.filling.per_symbol

    def table(length: int) -> Ints:
        return numpy.zeros(length, dtype=numpy.int64)

    account = table(layout.MARKS_AT + 2 * symbols)
    account[layout.A_BALANCE] = laid.terms[layout.BALANCE]
    account[layout.A_ROWS] = rows
    account[layout.A_ORDER_ROWS] = 2 * rows
    account[layout.A_ROOM] = room
    orders = table(2 * rows * layout.ORDER_WIDTH)
    orders[layout.O_KIND :: layout.ORDER_WIDTH] = -1
    return Books(
        account=account,
        positions=table(rows * layout.POSITION_WIDTH),
        orders=orders,
        trades=numpy.empty(room * layout.TRADE_WIDTH, dtype=numpy.int64),
        equity=numpy.empty(len(laid), dtype=numpy.int64),
    )


def _told(laid: Laid, books: Books, *, band: tuple[int, int], compiled: bool) -> Outcome:
    account = books.account
    refused = {code: int(account[layout.REFUSED_AT + place]) for place, code in CODES.items()}
    return Outcome(
        time=laid.ends,
        equity=books.equity,
        money_scale=MONEY_SCALE,
        trades=_trades(laid, _marked(laid, books)),
        open_trades=int(account[layout.A_OPEN]),
        refused={code: count for code, count in refused.items() if count},
        ambiguous=int(account[layout.A_AMBIGUOUS]),
        band=band,
        start=int(laid.terms[layout.BALANCE]),
        balance=int(account[layout.A_BALANCE]),
        stop_outs=int(account[layout.A_STOP_OUTS]),
        data_sha256=laid.data_sha256,
        engine=VERSION,
        compiled=compiled,
        seed=laid.spec.seed,
    )


def _marked(laid: Laid, books: Books) -> Ints:
    """Return the trades, then the open positions as trades at the last prices (rule 14)."""
    last, of = len(laid) - 1, layout.POSITION_WIDTH
    count, width = int(books.account[layout.A_TRADES]), layout.TRADE_WIDTH
    open_rows = numpy.flatnonzero(books.positions.reshape(-1, of)[:, layout.P_STEPS])
    table = numpy.zeros((count + len(open_rows)) * width, dtype=numpy.int64)
    table[: count * width] = books.trades[: count * width]
    account = books.account.copy()
    account[layout.A_ROOM] = count + len(open_rows)
    run = layout.Run(
        bid=laid.bid,
        ask=laid.ask,
        extra=laid.extra,
        finer=laid.finer,
        rolls=laid.rolls,
        terms=laid.terms,
        want=laid.bid,
        word=laid.extra,
        account=account,
        positions=books.positions.copy(),
        orders=books.orders,
        trades=table,
        equity=books.equity,
    )
    for row in open_rows.tolist():
        symbol = int(run.positions[row * of + layout.P_SYMBOL])
        steps, price = int(run.positions[row * of + layout.P_STEPS]), int(mark(run, row))
        rate = int(rate_at(run, last, symbol))
        place = write(run, row, last, (steps, price, layout.STILL_OPEN, 0))
        marks = layout.MARKS_AT + 2 * symbol
        table[place + layout.T_REALISED] = worth(run, row, price, rate)
        table[place + layout.T_RATE] = rate
        table[place + layout.T_SPREAD] += int(account[marks + 1] - account[marks]) * steps
    return table.reshape(-1, width)


def _trades(laid: Laid, table: Ints) -> Trades:
    value = laid.terms[layout.SYMBOLS_AT :].reshape(-1, layout.SYMBOL_WIDTH)[:, layout.TICK_VALUE]
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
