"""Reading the market: instruments, quotes, ticks and bars."""

from __future__ import annotations

import difflib
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ordergate.identity.authority import Act
from ordergate.model.errors import DataUnavailable, GateError, SymbolNotFound
from ordergate.model.instruments import Instrument
from ordergate.model.market import Bar, Timeframe
from ordergate.model.values import Symbol, plain
from ordergate.surfaces.catalogue import requests
from ordergate.surfaces.catalogue.fields import read_time
from ordergate.surfaces.catalogue.operation import READS, Example, Operation, Route, Toolset
from ordergate.surfaces.catalogue.past import BASIS, stored_bars
from ordergate.surfaces.catalogue.rendering import seconds, time_text
from ordergate.surfaces.catalogue.results import (
    BarsResult,
    InstrumentItem,
    InstrumentsResult,
    QuoteItem,
    QuotesResult,
    TicksResult,
)

if TYPE_CHECKING:
    from ordergate.market.feed.subscribe import Market
    from ordergate.model.principals import Principal
    from ordergate.surfaces.catalogue.services import Services


def known(market: Market, name: str) -> Instrument:
    """Return the instrument, or raise SymbolNotFound with the nearest names."""
    instrument: Instrument | None = market.instrument(Symbol(name))
    if instrument is not None:
        return instrument
    symbols = [str(item.symbol) for item in market.instruments()]
    if not symbols:
        raise _outage(market, "its symbols are not known yet")
    near = difflib.get_close_matches(name.upper(), symbols, n=3, cutoff=0.5)
    fix = f"Did you mean {', '.join(near)}?" if near else "list_instruments has all symbols."
    raise SymbolNotFound(f"the venue has no such symbol among its {len(symbols)}", fix=fix)


async def offered(services: Services, name: str) -> Instrument:
    """Return the instrument of the feed; where only the store has it, the fix says so."""
    try:
        return known(services.market, name)
    except SymbolNotFound as error:
        try:
            stored = await services.stored.holdings(name)
        except GateError:
            raise error from None
        if not stored:
            raise
        fix = f'Imported bars have it: source "store:{stored[0].key.venue}" looks back.'
        raise SymbolNotFound(error.message, fix=fix) from None


def _outage(market: Market, otherwise: str) -> DataUnavailable:
    return DataUnavailable(
        market.trouble() or f"{market.source}: {otherwise}",
        fix="Ask again later; the gateway goes on trying. Exits pass meanwhile.",
    )


async def instruments(
    services: Services, _: Principal, request: requests.Instruments
) -> InstrumentsResult:
    market = services.market
    wanted = sorted(
        (
            item
            for item in market.instruments()
            if request.asset_class in (None, item.asset_class.value)
            and (request.cursor is None or item.symbol > request.cursor)
        ),
        key=lambda item: item.symbol,
    )
    page = wanted[: request.limit]
    more = len(wanted) > len(page)
    return InstrumentsResult(
        instruments=[_instrument(market, item) for item in page],
        source=market.source,
        synthetic=market.synthetic,
        next_cursor=page[-1].symbol if more else None,
    )


async def quotes(services: Services, _: Principal, request: requests.Quotes) -> QuotesResult:
    market = services.market
    items = [
        quote_item(market, known(market, name).symbol) for name in dict.fromkeys(request.symbols)
    ]
    if market.trouble() is not None:
        raise _outage(market, "no prices")
    if all(item.bid is None for item in items):
        raise DataUnavailable(
            "no quote has arrived yet for what was asked",
            fix="Ask again in a moment; get_status says whether the feed is alive.",
        )
    return QuotesResult(quotes=items, venue_time=time_text(market.venue_now()))


async def ticks(services: Services, _: Principal, request: requests.Ticks) -> TicksResult:
    market = services.market
    symbol = known(market, request.symbol).symbol
    found = market.ticks(symbol, request.limit)
    if not found:
        raise DataUnavailable(
            "no tick of this symbol has arrived yet",
            fix="Ask again in a moment; get_bars has the past.",
        )
    newest = found[-1].time
    return TicksResult(
        symbol=symbol,
        time=[time_text(item.time) for item in found],
        bid=[plain(item.bid) for item in found],
        ask=[plain(item.ask) for item in found],
        source=market.source,
        synthetic=market.synthetic,
        as_of=time_text(newest),
        age_s=age_text(market.venue_now(), newest),
    )


async def bars(services: Services, _: Principal, request: requests.Bars) -> BarsResult:
    if request.source != "live":
        return await stored_bars(services, request)
    market = services.market
    symbol = (await offered(services, request.symbol)).symbol
    timeframe = Timeframe(request.timeframe)
    before = None if request.before is None else read_time(request.before)
    found = await market.bars(symbol, timeframe, limit=request.limit, before=before)
    if not found:
        raise DataUnavailable("there are no bars there", fix="Try another timeframe or `before`.")
    return _bars(market, symbol, found, full=len(found) == request.limit)


def _bars(market: Market, symbol: Symbol, found: tuple[Bar, ...], *, full: bool) -> BarsResult:
    last, quote = found[-1], market.quote(symbol)
    now = market.venue_now()
    as_of = min(now, last.time + last.timeframe.length)
    return BarsResult(
        symbol=symbol,
        timeframe=last.timeframe.value,
        time=[bar.time.strftime("%Y-%m-%dT%H:%M:%SZ") for bar in found],
        open=[plain(bar.open) for bar in found],
        high=[plain(bar.high) for bar in found],
        low=[plain(bar.low) for bar in found],
        close=[plain(bar.close) for bar in found],
        volume=[None if bar.volume is None else plain(bar.volume) for bar in found],
        last_complete=last.complete,
        next_before=found[0].time.strftime("%Y-%m-%dT%H:%M:%SZ") if full else None,
        basis=None if quote is None else BASIS[quote.basis],
        source=market.source,
        synthetic=market.synthetic,
        as_of=time_text(as_of),
        age_s=age_text(now, as_of),
    )


def age_text(now: datetime, at: datetime) -> str:
    return seconds(max(Decimal(0), Decimal(str((now - at).total_seconds()))))


def quote_item(market: Market, symbol: Symbol) -> QuoteItem:
    quote = market.quote(symbol)
    quality = market.quality(symbol)
    session = market.session(symbol)
    return QuoteItem(
        symbol=symbol,
        bid=None if quote is None else plain(quote.bid),
        ask=None if quote is None else plain(quote.ask),
        spread=None if quote is None else plain(quote.spread),
        quality=quality.verdict.value,
        session=session.state.value,
        session_reason=session.reason,
        source=market.source if quote is None else quote.source,
        synthetic=market.synthetic if quote is None else quote.synthetic,
        as_of=None if quote is None else time_text(quote.time),
        age_s=None if quality.age_s is None else seconds(quality.age_s),
    )


def _instrument(market: Market, item: Instrument) -> InstrumentItem:
    return InstrumentItem(
        symbol=item.symbol,
        description=item.description,
        asset_class=item.asset_class.value,
        base=item.base,
        quote_currency=item.quote_currency,
        contract_size=plain(item.contract_size),
        tick_size=plain(item.tick_size),
        lot_step=plain(item.lot_step),
        lot_min=plain(item.lot_min),
        lot_max=plain(item.lot_max),
        calendar=item.calendar.value,
        position_mode=item.position_mode.value,
        leverage=item.leverage,
        session=market.session(item.symbol).state.value,
    )


OPERATIONS: Final = (
    Operation(
        name="list_instruments",
        summary="List what can be traded: contract size, tick, lot step, session.",
        act=Act.READ_MARKET,
        request=requests.Instruments,
        result=InstrumentsResult,
        toolset=Toolset.MARKET,
        hints=READS,
        route=Route(method="GET", path="/market/instruments"),
        handler=instruments,
        examples=(Example(name="fx", arguments={"asset_class": "fx"}),),
    ),
    Operation(
        name="get_quotes",
        summary="Newest bid and ask of symbols, with source, age and quality."
        " `synthetic` true: simulated, not a real market.",
        act=Act.READ_MARKET,
        request=requests.Quotes,
        result=QuotesResult,
        toolset=Toolset.MARKET,
        hints=READS,
        route=Route(method="GET", path="/market/quotes", aliases=(("POST", "/market/quotes"),)),
        handler=quotes,
        examples=(Example(name="two", arguments={"symbols": ["EURUSD", "GBPUSD"]}),),
    ),
    Operation(
        name="get_ticks",
        summary="Newest ticks of a symbol as columns, oldest first.",
        act=Act.READ_MARKET,
        request=requests.Ticks,
        result=TicksResult,
        toolset=Toolset.MARKET,
        hints=READS,
        route=Route(method="GET", path="/market/ticks"),
        handler=ticks,
        examples=(Example(name="ten", arguments={"symbol": "EURUSD", "limit": 10}),),
    ),
    Operation(
        name="get_bars",
        summary="Bars (bid prices) as columns, oldest first."
        " Older ones: pass next_before as before. `source` store: what the operator imported.",
        act=Act.READ_MARKET,
        request=requests.Bars,
        result=BarsResult,
        toolset=Toolset.MARKET,
        hints=READS,
        route=Route(method="GET", path="/market/bars", aliases=(("POST", "/market/bars"),)),
        handler=bars,
        examples=(
            Example(name="hours", arguments={"symbol": "EURUSD", "timeframe": "H1", "limit": 50}),
        ),
    ),
)
