"""A message says all that is needed, in our words; another's words lead nowhere."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal

import pytest

from ordergate.alerts.wording import answered, asked, masked, said, what
from ordergate.model.accounts import Mode
from ordergate.model.orders import CancelIntent, CloseIntent, ModifyIntent, OrderType
from ordergate.model.records import TicketState
from ordergate.model.values import (
    AccountId,
    PositionId,
    PrincipalId,
    Symbol,
    VenueName,
    VenueOrderId,
)
from support.journal_rows import a_ticket, an_order
from support.order_records import buy

ACCOUNT, VENUE, SYMBOL = AccountId("DU1234567"), VenueName("ibkr"), Symbol("EURUSD")


@pytest.mark.parametrize(
    "words",
    [
        "see https://evil.example/approve",
        "see evil.example/approve now",
        "mail me@evil.example",
        "@everyone look",
        "[approve](http://evil.example)",
        "<a href=x>approve</a>",
        "tg://resolve?domain=x",
        "a\nb\u202ec\u200bd",
        "*bold* _it_ `code` |x|",
        "javascript:alert(1)",
        "1.2.3.4/approve",
    ],
)
def test_nothing_another_wrote_becomes_a_link_or_markup(words: str) -> None:
    clean = said(words)
    assert not any(letter in clean for letter in "<>[]*_`|@\n\u202e\u200b")
    assert "://" not in clean
    assert "evil.example" not in clean
    assert "javascript:a" not in clean
    assert "1.2.3" not in clean


def test_plain_words_stay_as_they_are() -> None:
    assert said("daily loss of 2 % reached, 1.5 lots") == "daily loss of 2 % reached, 1.5 lots"
    assert len(said("x" * 999)) == 200


def test_an_ask_names_mode_account_order_prices_number_and_end() -> None:
    order = dataclasses.replace(
        an_order(1),
        account=ACCOUNT,
        venue=VENUE,
        principal=PrincipalId("agent-7"),
        intent=buy(
            order_type=OrderType.LIMIT, limit_price=Decimal("1.08"), note="click evil.example"
        ),
        decision_json=json.dumps(
            {
                "verdicts": [
                    {"rule": "order_notional", "value": "10843.129", "unit": "USD"},
                    {"rule": "risk_per_trade", "value": "21.5", "unit": "USD"},
                ]
            }
        ),
    )
    ticket = dataclasses.replace(a_ticket(1), number=7)
    words = asked(order, ticket, Mode.LIVE)
    whole = f"{words.title}\n{words.text}"
    for part in (
        "LIVE ask 07",
        "LIVE ibkr ...4567",
        "BUY",
        "limit 1.08",
        "10843.13 USD",
        "21.5 USD",
    ):
        assert part in whole, part
    assert "Number to match: 07" in whole
    assert "agent-7" in whole
    assert "DU1234567" not in whole
    assert "evil" not in whole  # an agent's note is never in a message
    assert words.path == f"/approve/{ticket.ticket_id}"
    assert ticket.fingerprint not in whole


def test_a_mode_nobody_proved_is_unknown_and_a_missing_size_is_no_zero() -> None:
    words = asked(an_order(1), a_ticket(1), None)
    assert "MODE UNKNOWN" in words.title
    assert "Notional ?" in words.text


@pytest.mark.parametrize("state", [one for one in TicketState if one is not TicketState.OPEN])
def test_every_end_of_an_ask_has_its_words(state: TicketState) -> None:
    ticket = dataclasses.replace(a_ticket(1), state=state, number=7)
    assert "ask 07" in answered(an_order(1), ticket, Mode.PAPER).title
    assert "is open" not in answered(an_order(1), ticket, Mode.PAPER).title


def test_every_kind_of_order_has_its_line() -> None:
    common = {"account": ACCOUNT, "venue": VENUE, "symbol": SYMBOL}
    lines = [
        what(dataclasses.replace(an_order(1), intent=intent))
        for intent in (
            CloseIntent(**common, position_id=PositionId("p1")),
            CloseIntent(**common, position_id=PositionId("p1"), quantity=Decimal("0.10")),
            CancelIntent(**common, venue_order_id=VenueOrderId("v1"), target_order_id=None),
            ModifyIntent(
                **common, position_id=PositionId("p1"), stop_loss=Decimal(1), take_profit=None
            ),
        )
    ]
    assert lines == [
        "CLOSE all of p1 EURUSD",
        "CLOSE 0.1 of p1 EURUSD",
        "CANCEL v1 EURUSD",
        "CHANGE of p1 EURUSD, stop loss 1, take profit REMOVED",
    ]


def test_of_an_account_four_digits_are_shown() -> None:
    assert masked("DU1234567") == "...4567"
