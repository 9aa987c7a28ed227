"""The whole book: every account counts, converted; one that is not known leaves sums unknown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ordergate.model.accounts import AccountIdentity, Elsewhere, Mode, Position, VenueSnapshot
from ordergate.model.orders import Side
from ordergate.model.values import AccountId, Symbol
from ordergate.order.policy.baselines import BookTerms
from ordergate.order.policy.exposure import Book, book
from ordergate.order.policy.underlyings import Underlyings
from ordergate.order.policy.wholebook import Counting, WholeBook, lost
from support.judging import ACCOUNT, EURUSD, VENUE, Court, D, baseline, position, resting, state
from unit.order.policy.test_underlyings import word

SECOND = AccountId("paper-2")


class Bench:
    """A book of one account and, where a test adds it, a second one."""

    def __init__(self, *, currency: str | None = None) -> None:
        self.court = Court()
        self.court.market.set("EURUSD", "1.10000", "1.10000")
        self.counting = Counting(
            terms=BookTerms(currency=currency),
            rate=self.court.market.rate,
            instrument=self.court.market.instrument,
            quote=self.court.market.quote,
            shock=lambda _: D("0.1"),
            named=Underlyings((word("GOLD", "XAUUSD"),)),
            keeper=self.court.tx,
        )

    def holds(self, *positions: Position) -> Book:
        names = {EURUSD, *(one.symbol for one in positions)}
        worths = {name: self.counting.worth(name, VENUE, "USD") for name in names}
        return book(EURUSD, positions=positions, pending=(), exits={}, worths=worths)

    def whole(
        self, *others: Elsewhere, symbol: str = "EURUSD", holds: Book | None = None
    ) -> WholeBook:
        found = self.counting.whole(
            Symbol(symbol),
            VENUE,
            own=self.court.snapshot(),
            holds=holds or self.holds(),
            others=others,
        )
        assert found is not None
        return found


def second(*positions: Position, orders: tuple = (), **terms: object) -> Elsewhere:
    snapshot = VenueSnapshot(
        identity=AccountIdentity(SECOND, VENUE, Mode.PAPER, "embedded"),
        account=state(**{"equity": D(50_000), **terms}),
        positions=positions,
        open_orders=orders,
        venue_time=state().time,
    )
    return Elsewhere(account=SECOND, venue=VENUE, snapshot=snapshot)


def test_one_account_alone_is_the_whole_book() -> None:
    whole = Bench().whole()
    assert (whole.currency, whole.rate, whole.accounts, whole.equity) == ("USD", 1, 1, D(100_000))
    assert (whole.gross, whole.long, whole.missing) == (0, 0, ())


def test_positions_and_resting_orders_of_all_accounts_add_up() -> None:
    bench = Bench()
    own = bench.holds(position(current_price=D("1.1")))  # 11,000 long
    other = second(position(current_price=D("1.1"), side=Side.SELL), orders=(resting(),))
    whole = bench.whole(other, holds=own)
    assert whole.equity == D(150_000)
    assert whole.gross == D(11_000) + D(11_000) + D(10_800)
    assert (whole.long, whole.short) == (D(21_800), D(11_000))
    assert whole.net_at_side(Side.BUY) == D(11_000) - D(11_000) + D(10_800)
    assert whole.net_at_side(Side.SELL) == 0


def test_everything_is_counted_in_the_books_currency() -> None:
    whole = Bench(currency="EUR").whole(
        second(position(current_price=D("1.1")), currency="EUR", equity=D(10_000))
    )
    # 0.10 lot EURUSD is 10,000 EUR; the first account's 100,000 USD are 90,909.09 EUR.
    assert whole.gross is not None
    assert round(whole.gross, 2) == D(10_000)
    assert whole.equity is not None
    assert round(whole.equity, 2) == D("100909.09")
    assert whole.rate is not None
    assert round(whole.rate, 6) == D("0.909091")


def test_an_account_that_cannot_be_read_leaves_every_sum_unknown_and_is_named() -> None:
    whole = Bench().whole(Elsewhere(account=SECOND, venue=VENUE, snapshot=None))
    assert whole.missing == ("account paper-2 on paper cannot be read",)
    assert whole.equity is whole.gross is whole.long is whole.net_long is None
    assert whole.day_start_equity is None


def test_a_currency_without_a_rate_and_a_holding_without_a_price_are_missing() -> None:
    bench = Bench()
    assert bench.whole(second(currency="ZAR")).missing == ("the rate of ZAR in USD",)
    unknown = position(symbol=Symbol("EURUSD.m"))
    assert bench.whole(second(unknown)).missing == ("the value of EURUSD.m on account paper-2",)


def test_only_a_confirmed_name_shares_the_underlying() -> None:
    bench = Bench()
    gold = replace(bench.court.market.instrument(Symbol("XAUUSD")), symbol=Symbol("GOLD"))
    bench.court.market._instruments[Symbol("GOLD")] = gold
    bench.court.market.set("GOLD", "2650.00", "2650.00")
    there = position(symbol=Symbol("GOLD"), quantity=D(1), current_price=D(2650))
    whole = bench.whole(second(there), symbol="XAUUSD", holds=bench.holds())
    assert whole.long == D(265_000)
    bench.counting = replace(bench.counting, named=Underlyings())
    whole = bench.whole(second(there), symbol="XAUUSD", holds=bench.holds())
    assert (whole.long, whole.gross) == (0, D(265_000))


def test_the_books_day_starts_with_every_accounts_own_baseline() -> None:
    bench = Bench()
    bench.court.measured_from(
        baseline(), baseline(account=SECOND, day_start=D(60_000), last=D(50_000))
    )
    whole = bench.whole(second())
    assert whole.day_start_equity == D(160_000)


def test_the_baselines_of_an_unread_account_are_not_known() -> None:
    assert Bench().counting.baselines(None).peak_equity is None
    assert ACCOUNT != SECOND


def test_a_loss_and_what_ends_the_day() -> None:
    assert lost(D(97_000), D(100_000), fraction=Decimal("0.02")) == (3_000, 2_000)
