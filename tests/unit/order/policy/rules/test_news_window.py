"""The window around releases: off by default, openings alone, and nothing made up."""

from __future__ import annotations

from decimal import Decimal

from ordergate.model.errors import Code
from ordergate.model.verdicts import Finding, Judgement, Verb
from support.judging import Court, close, place, position


def said(judgement: Judgement) -> tuple[Finding, Code | None]:
    (verdict,) = [one for one in judgement.decision.verdicts if one.rule == "news_window"]
    return verdict.finding, verdict.code


def near(seconds: str | None, *, window: str = "900", **more: object) -> Court:
    away = None if seconds is None else Decimal(seconds)
    court = Court(release_away=away, **more)  # type: ignore[arg-type]
    return court.limit(news_blackout_s=Decimal(window))


def test_unset_it_asks_nothing_and_needs_no_calendar() -> None:
    judgement = Court().judge(place())
    assert said(judgement) == (Finding.NOT_ASKED, None)
    assert judgement.decision.verb is Verb.ALLOW


def test_near_a_release_nothing_opens() -> None:
    judgement = near("120").judge(place())
    assert said(judgement) == (Finding.REFUSE, Code.MARKET_CLOSED)
    (verdict,) = [one for one in judgement.decision.verdicts if one.rule == "news_window"]
    assert (verdict.value, verdict.limit, verdict.headroom) == (Decimal(120), Decimal(900), 0)
    assert "a release of high impact is 120 s away, at least 900" in verdict.message
    assert near("1200").judge(place()).decision.verb is Verb.ALLOW


def test_a_window_without_a_calendar_opens_nothing() -> None:
    judgement = near(None).judge(place())
    assert said(judgement) == (Finding.REFUSE, Code.DATA_UNAVAILABLE)
    assert judgement.decision.verb is Verb.DENY


def test_an_exit_passes_amid_the_release_and_without_a_calendar() -> None:
    for seconds in ("0", None):
        judgement = near(seconds, positions=(position(),)).judge(close())
        assert said(judgement)[0] is Finding.WARN
        assert judgement.decision.verb is Verb.ALLOW
