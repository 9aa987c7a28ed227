"""The page: whole, offline, without script, and safe from what it is told."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

from ordergate.research.backtest.spec import StrategyRef
from ordergate.research.report.page import BYTES_MAX, POLICY, STYLE, page
from support.markets import asked
from support.reports import of_noise


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs


def tags(text: str) -> Tags:
    found = Tags()
    found.feed(text)
    return found


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    text = page(of_noise())
    found = tags(text)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(found.seen)
    assert not [name for name, _ in found.attributes if name in ("style", "src", "href")]
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert not re.search(r"https?://", text)
    assert len(text.encode()) < BYTES_MAX


def test_the_policy_names_the_one_style_there_is() -> None:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in POLICY
    assert POLICY.startswith("default-src 'none'")
    assert page(of_noise()).count(f"<style>{STYLE}</style>") == 1


def test_everything_asked_of_a_report_is_on_it() -> None:
    text = page(of_noise())
    for word in (
        *("Equity and drawdown", "Month by month", "Trades", "Run it again", "spread x3"),
        *("exposure", "commission", "pbo", "deflated_sharpe", "2 bars later", "data_sha256"),
        *("held both stop and target", "leakage check", "The best by sharpe"),
    ):
        assert word in text, word
    assert text.count("<svg") == 2


def test_what_it_is_told_stays_text() -> None:
    evil = "<script>alert(1)</script>"
    report = of_noise()
    spec = asked(StrategyRef(name=evil, long_when=evil))
    told = replace(report, spec=spec, command=evil, notes=[evil], rows_title=evil)
    text = page(told)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
