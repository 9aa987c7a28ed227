"""The operator's pages, used as a person does: open, read, fill a form, send it."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.model.accounts import Mode
from ordergate.model.orders import ModifyIntent
from ordergate.model.records import Loosening
from ordergate.model.values import AccountId, PositionId, Symbol, VenueName
from support.operator_browser import (
    ORIGIN,
    Browser,
    forms_of,
    visible_text,
    with_browser,
)
from support.order_records import an_attempt
from support.recordings import utc

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><form action=/approve/t-o1-1/yes>"
    "\u202eApproved by your bank\u200b http://evil.example/x " + "A" * 2000
)


def test_the_approval_page_shows_the_whole_ask(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask()
        browser.identity.clock.advance(40)
        seen = visible_text((await browser.get(f"/approve/{ticket.ticket_id}")).text)
        for words in (
            "PAPER",
            "BUY 0.5 EURUSD, market",
            "Number to match 47",
            "Price now 1.0851 SYNTHETIC simulated, 1.5 s old ✓ inside the band",
            "Price when asked 1.0851",
            "Price band of a yes 1.0801 – 1.0901",
            "Notional 54255 USD",
            "Risk to the stop 255 USD",
            "Time left 260 s",
            "Stop loss 1.08",
            "Why it waits above what is approved without a human",
            "order notional 54255 USD of at most 100000 USD 54255 100000 100000",
            "above what is approved without a human",
        ):
            assert words in seen
        assert "Words of the agent" not in seen

    with_browser(tmp_path, scene)


def test_a_yes_on_the_page_is_given_once_and_later_visitors_are_told(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask()
        page = f"/approve/{ticket.ticket_id}"
        after = await browser.submit(page, f"{page}/yes")
        assert "Status filled" in visible_text(after.text)
        assert browser.gate.done == [("approve", ticket.ticket_id, "recovery")]

        again = (await browser.get(page)).text
        assert "approved by operator:alice" in visible_text(again)
        assert f"{page}/yes" not in forms_of(again)

    with_browser(tmp_path, scene)


def test_a_no_may_give_a_reason(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask()
        page = f"/approve/{ticket.ticket_id}"
        after = await browser.submit(page, f"{page}/no", reason="too large")
        assert "Status denied" in visible_text(after.text)
        assert browser.gate.done == [("deny", ticket.ticket_id, "too large")]

    with_browser(tmp_path, scene)


def test_a_page_that_was_overtaken_answers_nothing(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask()
        page = f"/approve/{ticket.ticket_id}"
        form = forms_of((await browser.get(page)).text)[f"{page}/yes"]
        await browser.submit(page, f"{page}/no")
        fields = {**form.fields, "code": browser.codes.pop()}
        late = await browser.http.post(form.action, data=fields, headers={"Origin": ORIGIN})
        assert late.status_code == 409
        assert "first answer counts" in visible_text(late.text)
        assert [act for act, _, _ in browser.gate.done] == ["deny"]

    with_browser(tmp_path, scene)


def test_a_price_out_of_the_band_leads_to_the_new_ask(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask()
        page = f"/approve/{ticket.ticket_id}"
        browser.gate.move_price("1.1000")
        assert "outside the band" in visible_text((await browser.get(page)).text)
        new = await browser.submit(page, f"{page}/yes")
        seen = visible_text(new.text)
        assert "This is a new ask: what changed Nothing was sent." in seen
        assert "Price 1.0851 1.1 " in seen
        assert "Price when asked 1.1 " in seen
        assert "/approve/t-o1-2/yes" in forms_of(new.text)
        assert browser.gate.done == []
        old = await browser.get(page)
        assert "/approve/t-o1-2" in old.text

    with_browser(tmp_path, scene)


def test_an_ask_past_its_time_offers_no_buttons(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask()
        browser.identity.clock.advance(300)
        page = (await browser.get(f"/approve/{ticket.ticket_id}")).text
        assert set(forms_of(page)) == {"/sign-out"}
        assert "No answer is possible" in visible_text(page)

    with_browser(tmp_path, scene)


def test_the_agents_words_are_labelled_cut_harmless_and_far_from_the_buttons(
    tmp_path: Path,
) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask(note=HOSTILE)
        browser.gate.draft(note=HOSTILE)
        for path in (f"/approve/{ticket.ticket_id}", "/orders/d1", "/orders/o1", "/", "/drafts"):
            html = (await browser.get(path)).text
            for evil in (
                "<script",
                "<img",
                "onerror=alert(1)>",
                "\u202e",
                "\u200b",
                "evil.example",
            ):
                assert evil not in html, (path, evil)
            assert "A" * 501 not in html
        html = (await browser.get(f"/approve/{ticket.ticket_id}")).text
        assert "Untrusted" in html
        assert html.index("Untrusted") > html.index("Checklist") > html.index("Approve this order")
        assert len([form for form in forms_of(html) if form.endswith("/yes")]) == 1

    with_browser(tmp_path, scene)


def test_the_reason_of_a_halt_is_shown_as_text(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        await browser.post("/operator/halts", json={"reason": "<b onclick=x>stop</b>"})
        for path in ("/", "/halts"):
            assert "<b " not in (await browser.get(path)).text

    with_browser(tmp_path, scene)


def test_only_pages_that_ask_a_passkey_have_a_script_and_nothing_is_inline(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask(note="hello")
        browser.gate.draft()
        await browser.post("/operator/halts", json={"reason": "look"})
        plain = ["/", "/drafts", "/halts", f"/approve/{ticket.ticket_id}"]
        for path in (*plain, "/sign-in", "/security"):
            reply = await browser.get(path)
            assert reply.status_code == 200
            html = reply.text.lower()
            policy = reply.headers["content-security-policy"]
            if path in plain:
                assert "<script" not in html
                assert "script-src 'none'" in policy
            else:
                assert html.count("<script") == html.count('<script src="/passkey.js" defer>') == 1
                assert "script-src 'self';" in policy
            assert " on" not in re.sub(r">[^<]*<", "><", html), "no handler in an attribute"
            assert "<style" not in html
            assert " style=" not in html
            assert 'name="viewport"' in html
        css = await browser.get("/console.css")
        assert css.headers["content-type"].startswith("text/css")
        assert "tabular-nums" in css.text

    with_browser(tmp_path, scene)


@pytest.mark.parametrize(
    ("mode", "pill", "frame"),
    [
        (Mode.PAPER, "PAPER", "mode-paper"),
        (Mode.LIVE, "LIVE", "mode-live"),
        (None, "MODE UNKNOWN", "mode-none"),
    ],
)
def test_every_page_says_which_mode_the_venue_proved(
    tmp_path: Path, mode: Mode | None, pill: str, frame: str
) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask()
        browser.gate.mode = mode
        for path in ("/", "/drafts", "/halts", f"/approve/{ticket.ticket_id}"):
            html = (await browser.get(path)).text
            assert pill in visible_text(html)
            assert f'<body class="{frame}">' in html
            assert ("real money" in html) is (mode is Mode.LIVE)
        assert ("LIVE ACCOUNT: REAL MONEY" in html) is (mode is Mode.LIVE)
        assert f'class="mode-frame {mode or "unknown"}"' in html

    with_browser(tmp_path, scene)


def test_the_kill_switch_is_engaged_seen_everywhere_and_released_with_a_reason(
    tmp_path: Path,
) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        await browser.submit("/halts", "/halts", reason="too fast")
        for path in ("/", "/drafts", "/halts"):
            assert "KILL SWITCH ON" in (await browser.get(path)).text
        empty = await browser.submit("/halts", "/halts/h1/release", reason="  ")
        assert empty.status_code == 400
        assert len(browser.gate.standing) == 1
        after = await browser.submit("/halts", "/halts/h1/release", reason="looked at it")
        assert "No halt is in force." in visible_text(after.text)
        assert "KILL SWITCH ON" not in after.text

    with_browser(tmp_path, scene)


def test_a_tightening_stands_on_the_desk_and_is_taken_back_by_a_form(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        assert "Tightened" not in (await browser.get("/")).text
        browser.gate.tighten("limits.open_orders_max", "1", reason=HOSTILE)
        browser.gate.tighten("limits.open_positions_max", "2")
        html = (await browser.get("/")).text
        assert "<script" not in html
        seen = visible_text(html)
        assert "Tightened: limits.open_orders_max is 1 1 by local-agent" in seen
        here = "/limits/limits.open_orders_max/loosen"
        empty = await browser.submit("/", here, reason="  ")
        assert empty.status_code == 400
        after = visible_text((await browser.submit("/", here, reason="it was choked")).text)
        assert "limits.open_orders_max" not in after
        assert "limits.open_positions_max" in after
        assert browser.gate.done == [("loosen", "limits.open_orders_max", "it was choked")]

    with_browser(tmp_path, scene)


def test_a_loosening_that_waits_stands_on_the_desk_and_is_called_off_by_a_form(
    tmp_path: Path,
) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        assert "Loosening" not in (await browser.get("/")).text
        row = Loosening(
            source="agent bot",
            limit_name="limits.open_orders_max",
            old="1",
            new="20",
            announced_at=utc("2026-01-07T14:00:00Z"),
            effective_at=utc("2026-01-07T14:10:00Z"),
            by="gateway-1",
        )
        browser.gate.loosenings.append(row)
        browser.gate.loosenings.append(replace(row, limit_name="limits.x", withdrawn=True))
        seen = visible_text((await browser.get("/")).text)
        for words in (
            "Loosening: limits.open_orders_max (agent bot)",
            "In force 1",
            "Asked for 20",
            "Counts from 2026-01-07 14:10:00 UTC",
        ):
            assert words in seen
        assert "limits.x" not in seen, "what was called off waits no more"
        here = "/limits/limits.open_orders_max/withdraw"
        assert (await browser.submit("/", here, reason=" ")).status_code == 400
        after = visible_text((await browser.submit("/", here, reason="not me")).text)
        assert "Loosening" not in after
        assert browser.gate.done == [("withdraw", "limits.open_orders_max", "not me")]

    with_browser(tmp_path, scene)


@pytest.mark.parametrize(("word", "placed"), [("placed", True), ("not-placed", False)])
def test_a_parked_order_is_shown_and_settled_by_a_form(
    tmp_path: Path, word: str, placed: bool
) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        assert "Parked" not in (await browser.get("/")).text
        browser.gate.park("x1")
        seen = visible_text((await browser.get("/")).text)
        for words in (
            "Parked: BUY 0.1 EURUSD, market",
            "Order x1",
            "Parked since 2026-01-07 15:00:00 UTC",
            f"Tag to look for {an_attempt().tag}",
        ):
            assert words in seen
        form = f"/orders/x1/{word}"
        assert (await browser.submit("/", form, reason=" ")).status_code == 400
        after = await browser.submit("/", form, reason="looked there")
        assert "Where it stands" in visible_text(after.text)
        assert browser.gate.done == [("resolve", "x1", f"{placed} looked there")]

    with_browser(tmp_path, scene)


def test_a_page_that_refuses_is_titled_by_what_happened(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        browser.gate.tighten("limits.open_orders_max", "1")
        action = "/limits/limits.open_orders_max/loosen"
        await browser.act("/operator/limits/limits.open_orders_max/loosen", {"reason": "x y"})
        stale = await browser.http.post(
            action,
            data={"csrf": browser.csrf, "reason": "again", "code": browser.codes.pop()},
            headers={"Origin": ORIGIN},
        )
        assert stale.status_code == 409
        assert "<h1>Limits.open_orders_max is not tightened</h1>" in stale.text
        assert "Illegal state" in stale.text

    with_browser(tmp_path, scene)


def test_a_draft_is_submitted_or_discarded_by_a_form(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        browser.gate.draft("d1")
        browser.gate.draft("d2")
        html = (await browser.get("/drafts")).text
        assert "Price now 1.0851 SYNTHETIC simulated, 1.5 s old" in visible_text(html)
        assert html.index("Stop loss") < html.index("Submit as my own order"), "terms come first"
        after = await browser.submit("/drafts", "/drafts/d1/submit")
        assert "Status filled" in visible_text(after.text)
        after = await browser.submit("/drafts", "/drafts/d2/discard")
        assert "No draft waits." in visible_text(after.text)
        assert [act for act, _, _ in browser.gate.done] == ["submit", "discard"]

    with_browser(tmp_path, scene)


def test_a_change_of_stops_says_what_is_removed(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        ticket = browser.gate.ask()
        change = ModifyIntent(
            account=AccountId("paper-1"),
            venue=VenueName("paper"),
            symbol=Symbol("EURUSD"),
            position_id=PositionId("p7"),
            stop_loss=None,
            take_profit=Decimal("1.2"),
        )
        view = browser.gate.orders["o1"]
        browser.gate.orders["o1"] = dataclasses.replace(
            view, order=dataclasses.replace(view.order, intent=change)
        )
        seen = visible_text((await browser.get(f"/approve/{ticket.ticket_id}")).text)
        assert "CHANGE p7, EURUSD" in seen
        assert "Stop loss REMOVED" in seen
        assert "Take profit 1.2" in seen
        assert "Limit price" not in seen

    with_browser(tmp_path, scene)


def test_who_is_not_signed_in_is_led_there_and_back(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        cookie = browser.http.headers.pop("Cookie")
        ticket = browser.gate.ask()
        page = f"/approve/{ticket.ticket_id}"
        led = await browser.get(page)
        assert (led.status_code, led.headers["location"]) == (303, f"/sign-in?next={page}")
        form = forms_of((await browser.get(led.headers["location"])).text)["/sign-in"]
        fields = {**form.fields, "name": "alice", "password": browser.password}
        fields["code"] = browser.codes.pop()
        back = await browser.http.post("/sign-in", data=fields, headers={"Origin": ORIGIN})
        assert (back.status_code, back.headers["location"]) == (303, page)
        assert back.headers["set-cookie"].partition(";")[0] != cookie

    with_browser(tmp_path, scene)


@pytest.mark.parametrize(
    "next_page", ["http://evil.example/", "//evil.example", "/\\evil.example", "/x\r\nA: b", "/api"]
)
def test_a_sign_in_never_leads_out_of_the_house(tmp_path: Path, next_page: str) -> None:
    async def scene(browser: Browser) -> None:
        await browser.make_operator()
        who = {"name": "alice", "password": browser.password, "code": browser.codes.pop()}
        back = await browser.http.post(
            "/sign-in", data={**who, "next": next_page}, headers={"Origin": ORIGIN}
        )
        assert (back.status_code, back.headers["location"]) == (303, "/")

    with_browser(tmp_path, scene)


def test_a_link_from_a_chat_opens_although_the_cookie_is_strict(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        cookie = browser.http.headers.pop("Cookie")
        ticket = browser.gate.ask()
        page = f"/approve/{ticket.ticket_id}"
        hop = await browser.get(page, headers={"Sec-Fetch-Site": "cross-site"})
        assert f'content="0;url={page}"' in hop.text
        assert "BUY" not in hop.text
        opened = await browser.get(
            page, headers={"Sec-Fetch-Site": "same-origin", "Cookie": cookie}
        )
        assert "BUY 0.5 EURUSD" in opened.text

    with_browser(tmp_path, scene)


def test_a_failed_sign_in_stays_on_the_page_and_says_so(tmp_path: Path) -> None:
    async def scene(browser: Browser) -> None:
        assert "ordergate operator init" in (await browser.get("/sign-in")).text
        await browser.identity.sign_in.init_operator("alice")
        fields = {"name": "alice", "password": "<b>wrong", "code": "123456"}
        reply = await browser.http.post("/sign-in", data=fields, headers={"Origin": ORIGIN})
        assert reply.status_code == 401
        assert "name, password or code is wrong" in reply.text
        assert "wrong" not in reply.text.replace("name, password or code is wrong", "")
        assert "set-cookie" not in reply.headers

    with_browser(tmp_path, scene)


@pytest.mark.parametrize("path", ["/nothing", "/approve/none", "/orders/none", "/approve/%00"])
def test_what_does_not_exist_is_said_so(tmp_path: Path, path: str) -> None:
    async def scene(browser: Browser) -> None:
        await browser.sign_in()
        reply = await browser.get(path)
        assert reply.status_code == 404
        assert "Resource not found" in visible_text(reply.text)

    with_browser(tmp_path, scene)
