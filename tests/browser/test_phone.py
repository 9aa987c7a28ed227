"""A real Chromium, 390 px wide: the link opens the ask, a passkey answers, it fills, or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.gateway_process import OPERATOR, GatewayProcess, gateway
from support.phone import Phone, a_phone
from support.recordings import write_rows

CALM, JUMPED = "1.08500,1.08510", "1.09500,1.09510"
SEEN_WITHIN_S = 20.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway on recorded prices: an hour of calm, then another price for the rest of the day."""
    folder = tmp_path_factory.mktemp("phone")
    rows = (
        f"2026-01-07T{10 + minute // 60:02}:{minute % 60:02}:{second:02}Z,"
        f"{CALM if minute < 60 else JUMPED}"
        for minute in range(600)
        for second in (0, 20, 40)
    )
    recorded = write_rows(folder / "EURUSD.csv", "time,bid,ask", rows)
    tables: dict[str, Any] = {
        "feed": {"kind": "replay"},
        "feed.replay": {"files": [str(recorded)]},
        "limits": {"quote_age_max_s": 60, "duplicate_window_s": 0.000001},
    }
    with gateway(folder, tables, operator=True) as one:
        yield one


@pytest.fixture(scope="module")
def phone(running: GatewayProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    """A phone whose passkey was enrolled on the page, after a sign-in by password and code."""
    with a_phone(running.console, tmp_path_factory.mktemp("profile")) as one:
        one.open("/security")
        assert "Sign in" in one.text()
        one.page.get_by_label("Name").fill(OPERATOR)
        one.page.get_by_label("Password").fill(running.password)
        one.page.get_by_label("Code of your authenticator").fill(running.codes.pop())
        one.press("Sign in")
        assert one.page.url.endswith("/security")
        one.page.get_by_label("A name for this device").fill("Ann's phone")
        form = one.page.locator("#enrol")
        form.get_by_label("Code of your authenticator").fill(running.codes.pop())
        one.press("Add a passkey")
        assert "Passkeys: 1" in one.text()
        assert "Ann's phone" in one.text()
        yield one


def ask(running: GatewayProcess) -> dict[str, Any]:
    """Have the agent propose more than is approved without a human."""
    placed = running.good("place_order", **running.order("0.50"))
    assert placed["status"] == "approval_required"
    asked: dict[str, Any] = running.good("get_approval", approval_id=placed["approval_id"])
    return {**placed, **asked}


def link_of(asked: dict[str, Any]) -> str:
    return str(asked["approve_url"])


def test_the_link_opens_the_ask_and_a_passkey_approves_it(
    running: GatewayProcess, phone: Phone
) -> None:
    asked = ask(running)
    phone.open("/sign-in")
    phone.press("Sign in with a passkey")
    phone.open(link_of(asked))
    seen = phone.text()
    for words in (
        "Paper account: no money moves",
        "BUY 0.5 EURUSD, market",
        "Number to match",
        "Price now",
        "Risk to the stop",
        "Time left",
        "Order notional: used",
    ):
        assert words in seen, seen
    phone.press("Approve this order with a passkey")
    assert "Status filled" in phone.text()
    assert running.good("get_order", order_id=asked["order_id"])["status"] == "filled"
    assert phone.faults == []


def test_a_phone_that_does_not_know_its_user_approves_nothing(
    running: GatewayProcess, phone: Phone
) -> None:
    asked = ask(running)
    phone.open(link_of(asked))
    phone.verified(False)
    phone.page.get_by_role("button", name="Approve this order with a passkey").click()
    phone.page.locator(".failure").filter(has_text="passkey").wait_for()
    phone.verified(True)
    assert running.good("get_order", order_id=asked["order_id"])["status"] == "approval_required"
    phone.press("Deny")
    assert "Status denied" in phone.text()
    assert phone.faults == []


def test_other_limits_are_shown_and_asked_anew(running: GatewayProcess, phone: Phone) -> None:
    asked = ask(running)
    limits = {**running.tables["limits"], "open_orders_max": 7}
    running.settle_in({**running.tables, "limits": limits})
    phone.open(link_of(asked))
    assert "Changed since this was asked" in phone.text()
    assert "limits.open_orders_max 20 7" in phone.text()
    phone.press("Approve this order with a passkey")
    assert "This is a new ask: what changed" in phone.text()
    assert "limits.open_orders_max 20 7" in phone.text()
    assert phone.page.url != link_of(asked)
    assert running.good("get_order", order_id=asked["order_id"])["status"] == "approval_required"
    phone.press("Approve this order with a passkey")
    assert "Status filled" in phone.text()
    assert phone.faults == []


def test_a_price_out_of_the_band_is_shown_and_asked_anew(
    running: GatewayProcess, phone: Phone
) -> None:
    asked = ask(running)
    with running.operator() as desk:
        assert desk.post("/operator/feed", json={"speed": "2400"}).status_code == 200
        deadline = time.monotonic() + SEEN_WITHIN_S
        while running.good("get_quotes", symbols=["EURUSD"])["quotes"][0]["bid"] < "1.09":
            assert time.monotonic() < deadline, "the price moves"
            time.sleep(0.05)
        assert desk.post("/operator/feed", json={"speed": "1"}).status_code == 200
    phone.open(link_of(asked))
    assert "Price 1.0851 1.0951" in phone.text()
    phone.press("Approve this order with a passkey")
    seen = phone.text()
    assert "This is a new ask: what changed" in seen
    assert "Price 1.0851 1.0951" in seen
    assert running.good("get_order", order_id=asked["order_id"])["status"] == "approval_required"
    phone.press("Approve this order with a passkey")
    assert "Status filled" in phone.text()
    assert phone.faults == []


def test_every_page_fits_and_runs_our_one_script_at_most(
    running: GatewayProcess, phone: Phone
) -> None:
    running.good("draft_order", **running.order("0.02"))
    running.good("engage_kill_switch", reason="to see the page")
    for path in ("/", "/drafts", "/security", "/halts"):
        phone.open(path)
    phone.page.get_by_label("Why it may be released").fill("seen it")
    phone.press("Release with a passkey")
    assert "No halt is in force" in phone.text()
    assert phone.scripts == {"/passkey.js"}
    assert len(phone.credentials()) == 1
    assert phone.faults == []
