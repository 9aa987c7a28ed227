"""The server's rows in the structures of the API: floats, broker seconds, vendor's codes."""

from __future__ import annotations

from ordergate.testing.mt5.book import MONEY, DealRow, OrderRow, PositionRow, TickRow
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.server import Server
from ordergate.testing.mt5.specs import Spec
from ordergate.testing.mt5.structures import (
    AccountInfo,
    SymbolInfo,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
)


def money(amount: int) -> float:
    return amount / MONEY


def tick(spec: Spec, row: TickRow) -> Tick:
    return Tick(
        time=row.msc // 1000,
        bid=spec.price(row.bid),
        ask=spec.price(row.ask),
        time_msc=row.msc,
        flags=K.TICK_FLAG_BID | K.TICK_FLAG_ASK,
    )


def account(server: Server) -> AccountInfo:
    terms, switches = server.terms, server.switches
    equity, used = server.equity(), server.margin_used()
    return AccountInfo(
        login=terms.login,
        trade_mode=terms.trade_mode,
        leverage=terms.leverage,
        limit_orders=terms.limit_orders,
        margin_so_mode=K.ACCOUNT_STOPOUT_MODE_PERCENT,
        trade_allowed=not switches.investor,
        trade_expert=switches.experts,
        margin_mode=terms.margin_mode,
        currency_digits=terms.currency_digits,
        fifo_close=terms.fifo_close,
        balance=money(server.books.balance),
        profit=money(sum(server.money.open_profit(p) for p in server.books.positions.values())),
        equity=money(equity),
        margin=money(used),
        margin_free=money(equity - used),
        margin_level=equity * 100 / used if used else 0.0,
        margin_so_call=100.0,
        margin_so_so=float(terms.stop_out_percent),
        name=terms.name,
        server=terms.server,
        currency=terms.currency,
        company=terms.company,
    )


def terminal(server: Server) -> TerminalInfo:
    switches = server.switches
    return TerminalInfo(
        connected=switches.connected,
        dlls_allowed=False,
        trade_allowed=switches.algo_trading,
        tradeapi_disabled=not switches.python_api,
        build=5000,
        maxbars=100_000,
        ping_last=20_000,
        company=server.terms.company,
        name="ordergate simulated terminal",
        language="English",
        path="simulated",
        data_path="simulated",
        commondata_path="simulated",
    )


def symbol(server: Server, spec: Spec, *, selected: bool) -> SymbolInfo:
    row = server.ticks.get(spec.name) if selected else None
    bid, ask = (spec.price(row.bid), spec.price(row.ask)) if row is not None else (0.0, 0.0)
    value = server.money.tick_value(spec) * spec.steps_per_lot
    gain, loss = (
        server.money.converted(value, spec.profit),
        server.money.converted(-value, spec.profit),
    )
    return SymbolInfo(
        select=selected,
        visible=selected,
        time=row.msc // 1000 if row is not None else 0,
        digits=spec.digits,
        spread=row.ask - row.bid if row is not None else 0,
        spread_float=True,
        trade_calc_mode=spec.calc_mode,
        trade_mode=spec.trade_mode,
        trade_stops_level=spec.stops_level,
        trade_freeze_level=spec.freeze_level,
        trade_exemode=spec.execution,
        swap_mode=K.SYMBOL_SWAP_MODE_POINTS,
        swap_rollover3days=K.DAY_OF_WEEK_WEDNESDAY,
        expiration_mode=spec.expirations,
        filling_mode=spec.filling,
        order_mode=spec.orders,
        bid=bid,
        ask=ask,
        point=spec.point,
        trade_tick_value=money(gain or 0),
        trade_tick_value_profit=money(gain or 0),
        trade_tick_value_loss=money(-(loss or 0)),
        trade_tick_size=spec.point,
        trade_contract_size=float(spec.contract_size),
        volume_min=spec.volume(spec.steps_min),
        volume_max=spec.volume(spec.steps_max),
        volume_step=spec.volume(1),
        swap_long=float(spec.swap_long),
        swap_short=float(spec.swap_short),
        currency_base=spec.base,
        currency_profit=spec.profit,
        currency_margin=spec.margin,
        description=spec.description,
        name=spec.name,
        path=spec.path,
    )


def position(server: Server, row: PositionRow) -> TradePosition:
    spec, now = server.specs[row.symbol], server.ticks.get(row.symbol)
    current = 0 if now is None else (now.bid if row.side > 0 else now.ask)
    return TradePosition(
        ticket=row.ticket,
        time=row.opened_msc // 1000,
        time_msc=row.opened_msc,
        time_update=row.updated_msc // 1000,
        time_update_msc=row.updated_msc,
        type=K.POSITION_TYPE_BUY if row.side > 0 else K.POSITION_TYPE_SELL,
        magic=row.magic,
        identifier=row.ticket,
        reason=row.reason,
        volume=spec.volume(row.steps),
        price_open=row.cost / row.steps / spec.scale,
        sl=spec.price(row.sl),
        tp=spec.price(row.tp),
        price_current=spec.price(current),
        swap=money(row.swap),
        profit=money(server.money.open_profit(row)),
        symbol=row.symbol,
        comment=row.comment,
    )


def order(server: Server, row: OrderRow) -> TradeOrder:
    spec, now = server.specs[row.symbol], server.ticks.get(row.symbol)
    current = 0 if now is None else (now.ask if row.buys else now.bid)
    return TradeOrder(
        ticket=row.ticket,
        time_setup=row.setup_msc // 1000,
        time_setup_msc=row.setup_msc,
        time_done=row.done_msc // 1000,
        time_done_msc=row.done_msc,
        time_expiration=row.expiration,
        type=row.type,
        type_time=row.time_type,
        type_filling=row.filling,
        state=row.state,
        magic=row.magic,
        position_id=row.position,
        position_by_id=row.position_by,
        reason=row.reason,
        volume_initial=spec.volume(row.steps),
        volume_current=spec.volume(row.left),
        price_open=spec.price(row.price),
        sl=spec.price(row.sl),
        tp=spec.price(row.tp),
        price_current=spec.price(current),
        price_stoplimit=spec.price(row.stop_limit),
        symbol=row.symbol,
        comment=row.comment,
    )


def deal(server: Server, row: DealRow) -> TradeDeal:
    spec = server.specs.get(row.symbol)
    return TradeDeal(
        ticket=row.ticket,
        order=row.order,
        time=row.time_msc // 1000,
        time_msc=row.time_msc,
        type=row.type,
        entry=row.entry,
        magic=row.magic,
        position_id=row.position,
        reason=row.reason,
        volume=spec.volume(row.steps) if spec else 0.0,
        price=spec.price(row.price) if spec else 0.0,
        commission=money(row.commission),
        swap=money(row.swap),
        profit=money(row.profit),
        symbol=row.symbol,
        comment=row.comment,
    )
