"""The simulated terminal is held to the vendor's wheel, and to sums done by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest

from ordergate.testing.mt5 import structures
from ordergate.testing.mt5.book import AccountTerms
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.faults import Fault, FaultKind
from ordergate.testing.mt5.server import Server
from ordergate.testing.mt5.terminal import SimulatedTerminal

ROOT = Path(__file__).resolve().parents[4]
PUBLISHED = ROOT.parent / "shared" / "doubles" / "mt5_constants_5.0.6231.json"
FIELDS = json.loads((ROOT / "tests" / "golden" / "mt5_fields.json").read_text())["fields"]
FUNCTIONS = frozenset(
    {
        *("initialize", "shutdown", "login", "version", "terminal_info", "account_info"),
        *("last_error", "symbols_total", "symbols_get", "symbol_info", "symbol_info_tick"),
        *("symbol_select", "market_book_add", "market_book_get", "market_book_release"),
        *("copy_rates_from", "copy_rates_from_pos", "copy_rates_range", "copy_ticks_from"),
        *("copy_ticks_range", "orders_total", "orders_get", "positions_total", "positions_get"),
        *("history_orders_total", "history_orders_get", "history_deals_total"),
        *("history_deals_get", "order_check", "order_send", "order_calc_margin"),
        "order_calc_profit",
    }
)
T0 = 1_767_794_400_000  # 2026-01-07 14:00:00 UTC


def opened(terms: AccountTerms | None = None) -> tuple[Server, SimulatedTerminal]:
    server = Server(terms or AccountTerms())
    terminal = SimulatedTerminal(server)
    assert terminal.initialize()
    for symbol, bid, ask in (
        ("EURUSD", 1.08500, 1.08510),
        ("USDJPY", 150.000, 150.010),
        ("XAUUSD", 2000.00, 2000.30),
        ("GER40", 18000.0, 18001.0),
    ):
        server.tick(symbol, bid, ask, T0)
    return server, terminal


def deal(volume: float = 0.1, kind: int = K.ORDER_TYPE_BUY, **more: object) -> dict[str, object]:
    base = {"action": K.TRADE_ACTION_DEAL, "symbol": "EURUSD", "volume": volume, "type": kind}
    return {**base, "type_filling": K.ORDER_FILLING_FOK, **more}


def pending(kind: int, price: float, **more: object) -> dict[str, object]:
    base = {"action": K.TRADE_ACTION_PENDING, "symbol": "EURUSD", "volume": 0.1, "type": kind}
    return {**base, "price": price, "type_filling": K.ORDER_FILLING_RETURN, **more}


def test_every_constant_has_the_wheel_s_value() -> None:
    if not PUBLISHED.exists():
        pytest.skip("the vendor's constants are not beside this checkout")
    published = json.loads(PUBLISHED.read_text())
    ours = {name: value for name, value in vars(K).items() if name.isupper()}
    assert ours == published


def test_it_has_the_wheel_s_functions_and_no_other() -> None:
    terminal = SimulatedTerminal(Server())
    public = {name for name in dir(terminal) if not name.startswith("_") and not name.isupper()}
    assert public == FUNCTIONS
    assert len(FUNCTIONS) == 32


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_the_structures_have_the_published_fields_in_their_order(name: str) -> None:
    assert list(getattr(structures, name)._fields) == FIELDS[name]


def test_answers_cannot_be_changed() -> None:
    _, terminal = opened()
    account = terminal.account_info()
    assert account is not None
    with pytest.raises(AttributeError):
        account.balance = 1.0  # type: ignore[misc]  # that is the point
    assert account._asdict()["login"] == 50_001


def test_arrays_have_the_package_s_types() -> None:
    _, terminal = opened()
    rates = terminal.copy_rates_from_pos("EURUSD", K.TIMEFRAME_M1, 0, 5)
    ticks = terminal.copy_ticks_from("EURUSD", 0, 5, K.COPY_TICKS_ALL)
    assert rates is not None
    assert ticks is not None
    assert rates.dtype.names == (
        *("time", "open", "high", "low", "close", "tick_volume", "spread", "real_volume"),
    )
    assert [str(rates.dtype[n]) for n in ("time", "open", "tick_volume", "spread")] == [
        *("int64", "float64", "uint64", "int32"),
    ]
    assert ticks.dtype["time_msc"] == numpy.dtype("int64")
    assert ticks["time_msc"][0] == T0 + 7_200_000  # the broker's clock runs two hours ahead


def test_nothing_answers_before_initialize_nor_after_the_link_is_lost() -> None:
    server = Server()
    terminal = SimulatedTerminal(server)
    assert terminal.account_info() is None
    assert terminal.last_error()[0] == K.RES_E_INTERNAL_FAIL_CONNECT
    server, terminal = opened()
    server.faults.add(Fault(kind=FaultKind.IPC_LOST, function="positions_get"))
    assert terminal.positions_get() is None
    assert terminal.order_send(deal()) is None
    assert terminal.last_error()[0] == K.RES_E_INTERNAL_FAIL_CONNECT
    assert terminal.initialize()
    assert terminal.positions_get() == ()


def test_a_bad_request_is_refused_as_the_package_refuses_it() -> None:
    _, terminal = opened()
    assert terminal.order_send(deal(price="1.1")) is None
    assert terminal.last_error() == (K.RES_E_INVALID_PARAMS, 'Invalid "price" argument')
    assert terminal.order_send(deal(comment="x" * 32)) is None
    assert terminal.last_error() == (K.RES_E_INVALID_PARAMS, 'Invalid "comment" argument')


def test_a_market_order_its_stop_and_the_money() -> None:
    """0.10 lots bought at 1.08510, stopped at 1.08400: 10,000 x -0.00110 = -11.00 USD."""
    server, terminal = opened()
    sent = terminal.order_send(deal(sl=1.084, tp=1.09, magic=77, comment="G1"))
    assert sent is not None
    assert (sent.retcode, sent.price, sent.volume) == (K.TRADE_RETCODE_DONE, 1.0851, 0.1)
    (held,) = terminal.positions_get() or ()
    assert (held.ticket, held.sl, held.tp, held.magic) == (sent.order, 1.084, 1.09, 77)
    server.switches.drops_magic = True
    server.tick("EURUSD", 1.08400, 1.08410, T0 + 1000)
    assert terminal.positions_get() == ()
    _, out = terminal.history_deals_get(0, 2e9) or ()
    assert (out.profit, out.reason, out.entry) == (-11.0, K.DEAL_REASON_SL, K.DEAL_ENTRY_OUT)
    assert (out.magic, out.comment) == (0, "[sl 1.08400]")
    account = terminal.account_info()
    assert account is not None
    assert account.balance == 99_989.0


@pytest.mark.parametrize(
    ("currency", "symbol", "volume", "price", "expected"),
    [
        ("USD", "EURUSD", 0.10, 1.0851, 361.70),  # 10,000 x 1.0851 / 30
        ("USD", "USDJPY", 0.10, 150.01, 333.33),  # 10,000 USD / 30
        ("USD", "XAUUSD", 1.00, 2000.30, 10_001.50),  # 100 oz x 2,000.30 / 20
        ("EUR", "EURUSD", 0.10, 1.0851, 333.33),  # 10,000 EUR / 30
        ("EUR", "XAUUSD", 1.00, 2000.30, 9_217.97),  # 10,001.50 USD bought at 1.08500: / 1.085
        ("USD", "GER40", 1.00, 18001.0, 976.64),  # 18,001 EUR / 20 x 1.08510
    ],
)
def test_margin_by_hand(
    currency: str, symbol: str, volume: float, price: float, expected: float
) -> None:
    _, terminal = opened(AccountTerms(currency=currency))
    found = terminal.order_calc_margin(K.ORDER_TYPE_BUY, symbol, volume, price)
    assert found == expected


@pytest.mark.parametrize(
    ("currency", "symbol", "prices", "expected"),
    [
        ("USD", "EURUSD", (1.0851, 1.0861), 100.00),  # 100,000 x 0.001
        ("USD", "USDJPY", (150.0, 151.0), 666.62),  # 100,000 JPY at 150.010
        ("USD", "USDJPY", (151.0, 150.0), -666.67),  # a loss is bought at 150.000
        ("USD", "XAUUSD", (2000.0, 2010.0), 1000.00),  # 100 oz x 10
        ("EUR", "EURUSD", (1.0851, 1.0861), 92.16),  # 100 USD at the ask, 1.08510
        ("USD", "GER40", (18000.0, 18010.0), 10.85),  # 10 EUR at 1.08500
    ],
)
def test_profit_by_hand(
    currency: str, symbol: str, prices: tuple[float, float], expected: float
) -> None:
    _, terminal = opened(AccountTerms(currency=currency))
    assert terminal.order_calc_profit(K.ORDER_TYPE_BUY, symbol, 1.0, *prices) == expected


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"volume": 0.015}, K.TRADE_RETCODE_INVALID_VOLUME),
        ({"volume": 101.0}, K.TRADE_RETCODE_INVALID_VOLUME),
        ({"volume": 90.0}, K.TRADE_RETCODE_NO_MONEY),
        ({"sl": 1.0850}, K.TRADE_RETCODE_INVALID_STOPS),
        ({"tp": 1.0850}, K.TRADE_RETCODE_INVALID_STOPS),
        ({"symbol": "NOPE"}, K.TRADE_RETCODE_INVALID),
        ({"symbol": "GBPUSD"}, K.TRADE_RETCODE_PRICE_OFF),
        ({"type_filling": K.ORDER_FILLING_RETURN}, K.TRADE_RETCODE_INVALID_FILL),
        ({"position": 4711}, K.TRADE_RETCODE_POSITION_CLOSED),
    ],
)
def test_a_refusal_has_its_code_in_the_check_and_in_the_send(
    more: dict[str, object], code: int
) -> None:
    _, terminal = opened()
    checked, sent = terminal.order_check({**deal(), **more}), terminal.order_send(deal() | more)
    assert checked is not None
    assert sent is not None
    assert (checked.retcode, sent.retcode) == (code, code)
    assert (terminal.positions_get(), terminal.history_deals_get()) == ((), ())


@pytest.mark.parametrize(
    ("switch", "value", "code"),
    [
        ("algo_trading", False, K.TRADE_RETCODE_CLIENT_DISABLES_AT),
        ("investor", True, K.TRADE_RETCODE_TRADE_DISABLED),
        ("experts", False, K.TRADE_RETCODE_SERVER_DISABLES_AT),
        ("at_server", False, K.TRADE_RETCODE_SERVER_DISABLES_AT),
        ("connected", False, K.TRADE_RETCODE_CONNECTION),
    ],
)
def test_what_may_forbid_trading(switch: str, value: bool, code: int) -> None:
    server, terminal = opened()
    setattr(server.switches, switch, value)
    sent = terminal.order_send(deal())
    assert sent is not None
    assert sent.retcode == code


@pytest.mark.parametrize(
    ("kind", "price", "more", "bid", "filled_at"),
    [
        (K.ORDER_TYPE_BUY_LIMIT, 1.084, {}, 1.0838, 1.0839),  # the ask is better than the limit
        (K.ORDER_TYPE_SELL_LIMIT, 1.086, {}, 1.0862, 1.0862),
        (K.ORDER_TYPE_BUY_STOP, 1.086, {}, 1.0861, 1.0862),  # beyond its trigger: at the market
        (K.ORDER_TYPE_SELL_STOP, 1.084, {}, 1.0839, 1.0839),
        (K.ORDER_TYPE_BUY_STOP_LIMIT, 1.086, {"stoplimit": 1.0855}, 1.0859, None),
    ],
)
def test_pending_orders_meet_the_market(
    kind: int, price: float, more: dict[str, object], bid: float, filled_at: float | None
) -> None:
    server, terminal = opened()
    sent = terminal.order_send(pending(kind, price, **more))
    assert sent is not None
    assert sent.retcode == K.TRADE_RETCODE_DONE
    server.tick("EURUSD", bid, round(bid + 0.0001, 5), T0 + 1000)
    if filled_at is None:
        (left,) = terminal.orders_get() or ()
        assert (left.type, left.price_open) == (K.ORDER_TYPE_BUY_LIMIT, 1.0855)
        server.tick("EURUSD", 1.0853, 1.0854, T0 + 2000)
    (held,) = terminal.positions_get() or ()
    assert held.price_open == pytest.approx(filled_at or 1.0854)
    assert held.ticket == sent.order


def test_netting_turns_round_and_hedging_does_not() -> None:
    netting = AccountTerms(margin_mode=K.ACCOUNT_MARGIN_MODE_RETAIL_NETTING)
    for terms, held in ((netting, [(K.POSITION_TYPE_SELL, 0.2)]), (AccountTerms(), None)):
        _, terminal = opened(terms)
        terminal.order_send(deal(0.1))
        sent = terminal.order_send(deal(0.3, K.ORDER_TYPE_SELL))
        assert sent is not None
        found = [(p.type, p.volume) for p in terminal.positions_get() or ()]
        assert found == (held or [(K.POSITION_TYPE_BUY, 0.1), (K.POSITION_TYPE_SELL, 0.3)])
    _, terminal = opened(netting)
    terminal.order_send(deal(0.1))
    terminal.order_send(deal(0.3, K.ORDER_TYPE_SELL))
    assert [d.entry for d in terminal.history_deals_get() or ()] == [
        K.DEAL_ENTRY_IN,
        K.DEAL_ENTRY_INOUT,
    ]


def test_close_by_takes_both_sides_for_one_spread() -> None:
    """0.1 bought at 1.08510, 0.3 sold at 1.08500: -1.00 USD booked once, 0.2 left."""
    _, terminal = opened()
    one, other = terminal.order_send(deal(0.1)), terminal.order_send(deal(0.3, K.ORDER_TYPE_SELL))
    assert one is not None
    assert other is not None
    by = {"action": K.TRADE_ACTION_CLOSE_BY, "position": one.order, "position_by": other.order}
    done = terminal.order_send(by)
    assert done is not None
    assert done.retcode == K.TRADE_RETCODE_DONE
    (left,) = terminal.positions_get() or ()
    assert (left.ticket, left.volume) == (other.order, 0.2)
    assert sum(d.profit for d in terminal.history_deals_get() or ()) == -1.0


def test_the_margin_call_closes_the_worst_first() -> None:
    server, terminal = opened(AccountTerms(balance=1_000))
    terminal.order_send(deal(0.2))
    terminal.order_send(deal(0.05))
    server.tick("EURUSD", 1.05000, 1.05010, T0 + 1000)
    out = [d for d in terminal.history_deals_get() or () if d.entry == K.DEAL_ENTRY_OUT]
    assert [(d.reason, d.volume) for d in out] == [(K.DEAL_REASON_SO, 0.2)]
    assert len(terminal.positions_get() or ()) == 1


@pytest.mark.parametrize(
    ("kind", "answer", "executed"),
    [
        (FaultKind.RETCODE, K.TRADE_RETCODE_TIMEOUT, 0),
        (FaultKind.RETCODE_AFTER, K.TRADE_RETCODE_TIMEOUT, 1),
        (FaultKind.NONE, None, 0),
        (FaultKind.NONE_AFTER, None, 1),
        (FaultKind.LATE, None, 0),
        (FaultKind.PARTIAL, K.TRADE_RETCODE_DONE_PARTIAL, 1),
        (FaultKind.LATE_FILL, K.TRADE_RETCODE_PLACED, 0),
    ],
)
def test_faults_do_what_they_say(kind: FaultKind, answer: int | None, executed: int) -> None:
    server, terminal = opened()
    server.faults.add(Fault(kind=kind))
    sent = terminal.order_send(deal())
    assert (None if sent is None else sent.retcode) == answer
    assert len(terminal.history_deals_get() or ()) == executed
    if kind is FaultKind.LATE:
        assert terminal.last_error()[0] != 0
        server.arrive()
    server.tick("EURUSD", 1.085, 1.0851, T0 + 1000)
    late = kind in (FaultKind.LATE, FaultKind.LATE_FILL)
    assert len(terminal.history_deals_get() or ()) == executed + late
