"""The analysis operations, through dispatch, over a market that walks: bounded, dated, honest."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest

from ordergate.market.news.fetch import News
from ordergate.model.errors import DataUnavailable
from ordergate.model.hours import bar_window
from ordergate.model.market import Bar, PriceBasis, Quality, Timeframe
from ordergate.model.news import Article, NewsQuery
from ordergate.model.values import Symbol
from ordergate.surfaces.catalogue.analysis_requests import StrategyName
from ordergate.surfaces.catalogue.analysis_results import FailureItem
from ordergate.surfaces.catalogue.dispatch import Dispatch
from ordergate.surfaces.catalogue.operations import operations
from ordergate.surfaces.catalogue.scanning import grouped
from ordergate.surfaces.catalogue.services import SignalFloors
from support.doors import AGENT, READER, Doors, doors
from support.manual_market import WEDNESDAY, ManualMarket, fx
from support.series import walk

SOURCED = {"source", "synthetic", "as_of", "age_s"}


class WalkingMarket(ManualMarket):
    """Every symbol is a seeded walk up to the venue's clock; the last bar still runs."""

    def __init__(self) -> None:
        names = ("EURUSD", "GBPUSD", "USDJPY", "AUDUSD")
        super().__init__(instruments=[fx(name) for name in names])
        self.longest = 5_000
        self.broken: set[str] = set()
        self.volume = True
        self.asked: list[tuple[str, str, int]] = []
        self.until = datetime.max.replace(tzinfo=UTC)  # no bar after it

    async def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, limit: int, before: Any = None
    ) -> tuple[Bar, ...]:
        self.asked.append((symbol, timeframe, limit))
        if symbol in self.broken:
            raise DataUnavailable("the venue keeps no bars of it")
        count = min(limit, self.longest)
        end = min(before or self.venue_now(), self.venue_now(), self.until)
        times = [end]
        while len(times) <= count:
            window = bar_window(timeframe, times[-1] - timedelta(microseconds=1))
            times.append(window.opens)
        starts = sorted(times[1:])
        series = walk(count, seed=sum(symbol.encode()), timeframe=timeframe)
        rows = zip(starts, series.open, series.high, series.low, series.close, strict=True)
        return tuple(
            Bar(
                symbol,
                timeframe,
                at,
                *(Decimal(f"{price:.5f}") for price in prices),
                Decimal(10 + n % 7) if self.volume else None,
                bar_window(timeframe, at).closes <= self.venue_now(),
            )
            for n, (at, *prices) in enumerate(rows)
        )


@dataclass
class Room:
    gate: Doors
    market: WalkingMarket
    dispatch: Dispatch

    def ask(self, name: str, asker: Any = AGENT, **arguments: Any) -> Any:
        envelope = asyncio.run(self.dispatch(asker, name, arguments))
        if envelope.error is not None:
            return envelope.error
        assert envelope.data is not None
        return envelope.data


@pytest.fixture
def room() -> Room:
    gate = doors()
    market = WalkingMarket()
    market.set("EURUSD", "1.10000", "1.10010", WEDNESDAY + timedelta(minutes=7))
    market.set("GBPUSD", "1.10000", "1.10012")
    services = replace(gate.services, market=market)
    return Room(gate, market, Dispatch(services, operations(data_only=False)))


def test_columns_are_equally_long_and_dated_by_the_last_closed_bar(room: Room) -> None:
    said = room.ask(
        "compute_indicators",
        symbol="EURUSD",
        timeframe="H1",
        indicators=["ema(20)", "macd()", "rsi(14) < 50", "vwap()"],
        limit=5,
    )
    assert [column["name"] for column in said["columns"]] == [
        "ema(20)",
        "macd(12, 26, 9).line",
        "macd(12, 26, 9).signal",
        "macd(12, 26, 9).histogram",
        "rsi(14) < 50",
        "vwap()",
    ]
    assert {len(column["values"]) for column in said["columns"]} == {5}
    assert len(said["time"]) == len(said["close"]) == 5
    assert set(said["columns"][4]["values"]) <= {"0", "1"}
    assert said["as_of"] == "2026-01-07T14:00:00.000Z"
    assert said["age_s"] == "420"
    assert said["time"][-1] == "2026-01-07T13:00:00Z"
    assert said["failures"] == []
    assert said["source"] == "manual"


def test_values_are_those_of_the_bars_that_were_given(room: Room) -> None:
    """sma(3) by hand from the closes in the same answer."""
    said = room.ask("compute_indicators", symbol="EURUSD", indicators=["sma(3)"], limit=6)
    closes = [float(close) for close in said["close"]]
    (column,) = said["columns"]
    for n in range(2, 6):
        assert float(column["values"][n]) == pytest.approx(sum(closes[n - 2 : n + 1]) / 3, abs=1e-7)


def test_a_short_history_fails_its_column_alone_with_its_numbers(room: Room) -> None:
    room.market.longest = 100
    said = room.ask("compute_indicators", symbol="EURUSD", indicators=["sma(20)", "ema(50)"])
    assert [column["name"] for column in said["columns"]] == ["sma(20)"]
    (failure,) = said["failures"]
    assert failure["what"] == "ema(50)"
    assert failure["code"] == "DATA_UNAVAILABLE"
    assert "insufficient_history: 99 closed H1 bars, 569 needed" in failure["message"]


def test_no_column_at_all_is_an_error_not_an_empty_answer(room: Room) -> None:
    room.market.volume = False
    error = room.ask("compute_indicators", symbol="EURUSD", indicators=["obv()"])
    assert error.code == "DATA_UNAVAILABLE"
    assert error.details["failures"][0]["what"] == "obv()"


def test_what_was_not_known_then_is_not_told(room: Room) -> None:
    before = "2026-01-07T10:00:00Z"
    said = room.ask("compute_indicators", symbol="EURUSD", indicators=["sma(5)"], before=before)
    assert said["time"][-1] < before
    assert said["as_of"] == "2026-01-07T10:00:00.000Z"


def test_an_answer_is_bounded(room: Room) -> None:
    many = ["macd(5, 9, 3)", "bollinger()", "keltner()", "donchian()", "supertrend()", "ema(9)"]
    error = room.ask("compute_indicators", symbol="EURUSD", indicators=many, limit=200)
    assert error.code == "INVALID_ARGUMENT"
    said = room.ask("compute_indicators", symbol="EURUSD", indicators=many, limit=80)
    assert len(json.dumps(said)) < 25_000


def test_a_bad_indicator_says_where_and_what_is_near(room: Room) -> None:
    error = room.ask("compute_indicators", symbol="EURUSD", indicators=["emma(20)"])
    assert (error.code, error.fix) == ("INVALID_ARGUMENT", "Did you mean ema?")
    assert error.details["position"] == 1


def test_a_signal_of_an_own_rule_stands_on_the_tick(room: Room) -> None:
    said = room.ask("generate_signal", symbol="EURUSD", long_when="close > 0", stop_atr="2")
    assert said["direction"] == "long"
    assert said["proposed"] is True
    entry, stop, target = (Decimal(said[name]) for name in ("entry", "stop", "target"))
    assert stop < entry < target
    for price in (entry, stop, target):
        assert price == price.quantize(Decimal("0.00001"))
    assert said["reasons"] == ["custom buy: close > 0"]
    assert said["readings"] == [{"name": "close", "value": said["entry"]}]
    assert set(said) >= SOURCED
    assert said["quote"]["spread"] == "0.0001"
    assert said["required_history"] <= said["bars"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda market: market.judge("EURUSD", Quality.STALE), "the quote is stale"),
        (
            lambda market: market.close_session("EURUSD", "weekend"),
            "the session is closed: weekend",
        ),
        (lambda market: market.forget("EURUSD"), "the quote is missing"),
        (
            lambda market: market.set("EURUSD", "1.1", "1.1", basis=PriceBasis.TRADE),
            "the spread, and so the edge, is not known",
        ),
    ],
)
def test_no_trade_conditions_hold_a_signal_back(room: Room, spoil: Any, words: str) -> None:
    spoil(room.market)
    said = room.ask("generate_signal", symbol="EURUSD", long_when="close > 0")
    assert said["direction"] == "long"
    assert said["proposed"] is False
    assert any(words in reason for reason in said["held_back"])


def test_bars_that_stay_away_hold_a_signal_back_but_a_weekend_does_not(room: Room) -> None:
    monday = datetime(2026, 1, 12, 10, tzinfo=UTC)
    room.market.set("EURUSD", "1.1", "1.1001", monday)
    room.market.until = datetime(2026, 1, 9, 22, tzinfo=UTC)  # Friday 17:00 in New York
    asked = {"symbol": "EURUSD", "long_when": "close > 0"}
    assert room.ask("generate_signal", timeframe="D1", **asked)["proposed"] is True
    late = room.ask("generate_signal", timeframe="H1", **asked)
    assert late["held_back"] == ["the newest closed bar is 12:00:00 late"]


def test_a_signal_without_history_is_an_error(room: Room) -> None:
    room.market.longest = 50
    error = room.ask("generate_signal", symbol="EURUSD", strategy="rule_baseline")
    assert error.code == "DATA_UNAVAILABLE"
    assert error.details["source"] == "insufficient_history"
    assert error.details["required_history"] == 295


@pytest.mark.parametrize(
    "name",
    get_args(StrategyName),
)
def test_every_strategy_answers(room: Room, name: str) -> None:
    said = room.ask("generate_signal", symbol="GBPUSD", timeframe="M15", strategy=name)
    assert said["strategy"] == name
    assert said["direction"] in ("long", "short", "none")


def test_the_ensemble_has_no_stop_of_its_own(room: Room) -> None:
    error = room.ask("generate_signal", symbol="EURUSD", stop_atr="2")
    assert error.code == "INVALID_ARGUMENT"


def test_a_scan_scores_ranks_and_tells_what_failed(room: Room) -> None:
    room.market.broken = {"AUDUSD"}
    said = room.ask("scan_opportunities", timeframes=["H1", "H4"], limit=2)
    assert (said["scanned"], said["matched"], said["left_out"]) == (3, 3, 1)
    scores = [abs(float(item["score"])) for item in said["opportunities"]]
    assert scores == sorted(scores, reverse=True)
    assert said["failures"] == [
        {
            "what": "AUDUSD H1, AUDUSD H4",
            "code": "DATA_UNAVAILABLE",
            "message": "the venue keeps no bars of it",
        }
    ]
    for item in said["opportunities"]:
        assert set(item) >= SOURCED
        assert [view["timeframe"] for view in item["views"]] == ["H1", "H4"]
        assert all(set(view) >= SOURCED for view in item["views"])
        parts = [float(item[name]) for name in ("trend", "signal", "momentum", "place")]
        most = abs(sum(parts)) * (1 + float(item["agreement"])) / 2
        assert abs(float(item["score"])) <= most + 0.01


def test_a_rule_keeps_where_it_holds(room: Room) -> None:
    said = room.ask("scan_opportunities", timeframes=["H1"], rule="close > 0")
    assert said["matched"] == 4
    assert said["opportunities"][0]["rule_holds"] == ["H1"]
    said = room.ask("scan_opportunities", timeframes=["H1"], rule="close < 0")
    assert (said["matched"], said["opportunities"]) == (0, [])
    error = room.ask("scan_opportunities", rule="clse < 0")
    assert error.fix == "Did you mean close?"


def test_a_scan_of_nothing_is_an_error_with_every_reason(room: Room) -> None:
    room.market.broken = {"EURUSD", "GBPUSD", "USDJPY", "AUDUSD"}
    error = room.ask("scan_opportunities", timeframes=["H1"])
    assert error.code == "DATA_UNAVAILABLE"
    (failure,) = error.details["failures"]
    assert failure["what"].count(" H1") == 4


def test_many_failures_stay_readable_and_none_is_dropped() -> None:
    failures = [
        FailureItem(what=f"S{n} H1", code="DATA_UNAVAILABLE", message=f"{n % 50} bars")
        for n in range(400)
    ]
    shown = grouped(failures)
    assert len(shown) == 31
    told = [what for item in shown for what in item.what.split(", ")]
    assert sorted(told) == sorted(item.what for item in failures)
    assert sum(len(item.model_dump_json()) for item in shown) < 10_000


def test_an_unknown_symbol_is_refused_by_name(room: Room) -> None:
    for name in ("generate_signal", "analysis_packet"):
        assert room.ask(name, symbol="EURUSDX").code == "SYMBOL_NOT_FOUND"
    assert room.ask("scan_opportunities", symbols=["NONE"]).code == "SYMBOL_NOT_FOUND"


def test_symbols_side_by_side(room: Room) -> None:
    said = room.ask("compare_symbols", symbols=["GBPUSD", "EURUSD", "GBPUSD"])
    assert [item["symbol"] for item in said["symbols"]] == ["GBPUSD", "EURUSD"]
    assert said["symbols"][0]["correlation"] == "1"
    assert -1 <= float(said["symbols"][1]["correlation"]) <= 1
    assert said["symbols"][0]["spread"] == "0.00012"


def test_the_context_knows_only_what_had_closed(room: Room) -> None:
    said = room.ask("htf_context", symbol="EURUSD", timeframe="M15", higher=["H1", "D1"])
    assert said["as_of"] == "2026-01-07T14:00:00.000Z"
    assert [view["timeframe"] for view in said["views"]] == ["H1", "D1"]
    for view in said["views"]:
        assert view["as_of"] <= said["as_of"]
    assert said["levels_timeframe"] == "H1"
    assert room.ask("htf_context", symbol="EURUSD", timeframe="D1").code == "INVALID_ARGUMENT"
    assert room.ask("htf_context", symbol="EURUSD", higher=["M5"]).code == "INVALID_ARGUMENT"


def test_the_packet_fits_and_has_everything(room: Room) -> None:
    for detail, most in (("brief", 8_000), ("full", 20_000)):
        said = room.ask("analysis_packet", symbol="EURUSD", detail=detail)
        text = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
        assert len(text) <= most
        assert [view["timeframe"] for view in said["score"]["views"]] == ["M15", "H1", "H4", "D1"]
        assert said["quote"]["bid"] == "1.1"
        assert (said["news"], said["tone"], said["releases"]) == (None, None, None)
        assert any(word.startswith("news") for word in said["left_out"])
        assert said["levels"]
        assert said["profile"]["by"] == "volume"
        assert said["mode"] == "paper"
        assert said["killed"] is False
        assert "0.01" in said["smallest_order"]
        assert set(said) >= SOURCED


def test_the_longest_packet_still_fits(room: Room) -> None:
    said = room.ask(
        "analysis_packet", symbol="EURUSD", timeframes=["M1", "M5", "M15", "M30", "H1", "H4"]
    )
    assert len(json.dumps(said, separators=(",", ":"), ensure_ascii=False)) <= 8_000


def test_the_packet_tells_what_it_lacks(room: Room) -> None:
    room.market.longest = 200
    said = room.ask("analysis_packet", symbol="EURUSD", timeframes=["H1", "D1"])
    assert said["score"] is None
    assert {item["what"] for item in said["failures"]} >= {"EURUSD H1", "EURUSD D1"}
    assert said["quote"]["bid"] == "1.1"
    room.market.broken = {"EURUSD"}
    said = room.ask("analysis_packet", symbol="EURUSD")
    assert (said["levels"], said["profile"], said["signals"]) == ([], None, [])


def test_a_reader_may_ask_all_of_it(room: Room) -> None:
    assert room.ask("analysis_packet", READER, symbol="EURUSD")["symbol"] == "EURUSD"
    assert room.ask("generate_signal", READER, symbol="EURUSD")["symbol"] == "EURUSD"


def test_no_more_bars_are_asked_for_than_needed(room: Room) -> None:
    room.ask("compute_indicators", symbol="EURUSD", indicators=["sma(20)"], limit=5)
    assert room.market.asked == [("EURUSD", "H1", 25)]


def test_the_running_bar_comes_only_when_asked_for_and_is_labelled(room: Room) -> None:
    asked = {"symbol": "EURUSD", "indicators": ["sma(3)"], "limit": 2}
    closed = room.ask("compute_indicators", **asked)
    assert (closed["last_complete"], closed["time"][-1]) == (True, "2026-01-07T13:00:00Z")
    running = room.ask("compute_indicators", running=True, **asked)
    assert (running["last_complete"], running["time"][-1]) == (False, "2026-01-07T14:00:00Z")
    assert running["as_of"] == "2026-01-07T14:07:00.000Z"
    assert running["age_s"] == "0"


def test_members_and_weights_of_the_ensemble_can_be_chosen(room: Room) -> None:
    said = room.ask("generate_signal", symbol="EURUSD", votes=["macd_trend:2", "rsi_reversal"])
    assert said["strategy"] == "ensemble"
    assert said["required_history"] == 396
    for votes, words in (
        (["no_such"], "no such strategy"),
        (["macd_trend", "macd_trend:2"], "votes twice"),
        (["macd_trend:0"], "a weight must be above 0"),
    ):
        error = room.ask("generate_signal", symbol="EURUSD", votes=votes)
        assert error.code == "INVALID_ARGUMENT"
        assert words in error.message
    error = room.ask(
        "generate_signal", symbol="EURUSD", strategy="macd_trend", votes=["macd_trend"]
    )
    assert "only the ensemble votes" in error.message


def test_a_venue_that_cannot_be_read_takes_nothing_but_the_account_from_a_packet(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreadable(**_: Any) -> Any:
        raise DataUnavailable("the venue does not answer")

    monkeypatch.setattr(room.gate.gateway, "account", unreadable)
    said = room.ask("analysis_packet", symbol="EURUSD", timeframes=["H1"])
    assert (said["positions"], said["mode"]) == (None, None)
    assert said["score"]["symbol"] == "EURUSD"
    assert said["failures"][-1]["what"] == "account"


def test_news_stands_in_the_packet_where_it_is_asked_for_and_stays_words_of_others(
    room: Room,
) -> None:
    said = room.ask("analysis_packet", symbol="EURUSD", news=True)
    (article,) = said["news"]
    assert article["title"] == {"source": "paper.example", "text": "Bitcoin surges"}
    assert (article["age_s"], article["sentiment"]) == ("3600", "1")
    assert (said["tone"]["score"], said["releases"][0]["title"]["text"]) == ("1", "CPI")
    assert not any(word.startswith("news") for word in said["left_out"])
    assert len(json.dumps(said, separators=(",", ":"), ensure_ascii=False)) <= 8_000


def test_a_flood_of_news_never_takes_the_packets_length(room: Room) -> None:
    class Flood:
        name = "flood"

        async def search(self, query: NewsQuery) -> list[Article]:
            return [
                Article(
                    title=f"{n} " + "rises " * 33,
                    text="x" * 500,
                    publisher="h" * 60,
                    provider="flood",
                    published_at=None,
                )
                for n in range(query.limit)
            ]

    news = News(sources=(Flood(),), calendar=None, clock=room.gate.clock)
    services = replace(room.gate.services, market=room.market, news=news)
    room.dispatch = Dispatch(services, operations(data_only=False))
    for detail, most in (("brief", 8_000), ("full", 20_000)):
        said = room.ask("analysis_packet", symbol="EURUSD", news=True, detail=detail)
        assert len(json.dumps(said, separators=(",", ":"), ensure_ascii=False)) <= most
        assert said["quote"]["bid"] is not None


def test_news_that_cannot_be_read_is_a_failure_and_the_packet_still_comes(room: Room) -> None:
    none = News(sources=(), calendar=None, clock=room.gate.clock)
    services = replace(room.gate.services, market=room.market, news=none)
    room.dispatch = Dispatch(services, operations(data_only=False))
    said = room.ask("analysis_packet", symbol="EURUSD", news=True)
    assert said["news"] is None
    assert "news: see failures" in said["left_out"]
    assert [one["code"] for one in said["failures"] if one["what"] == "news"] == [
        "DATA_UNAVAILABLE"
    ]


def test_a_request_raises_the_operators_floors_and_never_lowers_them(room: Room) -> None:
    floors = SignalFloors(confidence=Decimal("0.6"), edge=Decimal("0.2"))
    services = replace(room.gate.services, market=room.market, floors=floors)
    room.dispatch = Dispatch(services, operations(data_only=False))
    asked = {"symbol": "EURUSD", "long_when": "close > 0"}  # own rules say 0.5
    for lower in ({}, {"confidence_min": "0.1", "edge_min": "0"}):
        said = room.ask("generate_signal", **asked, **lower)
        assert "confidence 0.500 is below 0.6" in said["held_back"]
    higher = room.ask("generate_signal", **asked, confidence_min="0.9", edge_min="9")
    assert "confidence 0.500 is below 0.9" in higher["held_back"]
    assert any(word.endswith("is below 9") for word in higher["held_back"])
