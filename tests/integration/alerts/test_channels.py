"""Every channel against its maker's own contract: words and a link arrive, nothing to press."""

from __future__ import annotations

import asyncio
import email
import logging
import time

import pytest

from ordergate.adapters.notify import (
    SIGNATURE,
    TIMESTAMP,
    ChannelRefused,
    Channels,
    open_channels,
    signature,
)
from ordergate.adapters.reach import Reach
from ordergate.adapters.system import SystemClock
from ordergate.model.alerts import Delivery, Message, Severity
from support.fake_channels import BOT, mail, services

KEY = b"a key of sixteen bytes or more"
LINK = "http://ordergate.localhost:8030/approve/0123abcd"
ASK = Message(
    title="PAPER ask 07: SELL 0.1 EURUSD market",
    text=f"Notional 10843 USD\nNumber to match: 07\n<b>a & b</b>\n{LINK}\nrecord 256:0a1b2c3d",
    severity=Severity.WARNING,
)


def opened(*urls: str, loopback: bool = True) -> Channels:
    return open_channels(
        urls, reach=Reach(allow_loopback=loopback), clock=SystemClock(), webhook_key=KEY
    )


def sent(channels: Channels, message: Message = ASK) -> Delivery:
    (delivery,) = asyncio.run(_send(channels, message))
    return delivery


async def _send(channels: Channels, message: Message) -> list[Delivery]:
    return list(await channels.send(message))


def test_ntfy_gets_a_topic_and_words_and_no_action() -> None:
    with services() as there:
        assert sent(opened(f"ntfy://127.0.0.1:{there.port}/my-topic")).problem is None
    (taken,) = there.taken
    assert taken.body["topic"] == "my-topic"
    assert LINK in taken.body["message"]
    assert "07" in taken.body["title"]
    pressed = {"actions", "x-actions", "action", "x-click", "click", "attach"}
    assert not pressed & {*taken.body, *taken.headers}


def test_telegram_gets_words_and_no_keyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.telegram import NotifyTelegram

    with services() as there:
        here = f"http://127.0.0.1:{there.port}/bot"
        monkeypatch.setattr(NotifyTelegram, "notify_url", here)
        assert sent(opened(f"tgram://{BOT}/4711")).problem is None
    (taken,) = there.taken
    assert str(taken.body["chat_id"]) == "4711"
    assert LINK in taken.body["text"]
    assert "&lt;b&gt;a &amp; b&lt;/b&gt;" in taken.body["text"]  # shown as written, never as markup
    assert "reply_markup" not in taken.body


def test_mail_gets_the_link_and_no_form() -> None:
    with mail() as (port, letters):
        url = f"mailto://127.0.0.1:{port}?from=gate@test.org&to=me@test.org&mode=insecure"
        assert sent(opened(url)).problem is None
    (letter,) = letters
    read = email.message_from_string(letter)
    body = "".join(
        part.get_payload(decode=True).decode()  # type: ignore[union-attr]
        for part in read.walk()
        if not part.is_multipart()
    )
    assert LINK in body
    assert "07" in str(read["Subject"])
    assert "<form" not in body.lower()


def test_a_webhook_is_signed_with_its_moment() -> None:
    with services() as there:
        assert sent(opened(f"http://127.0.0.1:{there.port}/hook")).problem is None
    (taken,) = there.taken
    assert LINK in taken.body["text"]
    stamp = taken.headers[TIMESTAMP]
    assert taken.headers[SIGNATURE] == signature(KEY, stamp, taken.raw)
    assert taken.headers[SIGNATURE] != signature(KEY, stamp + "0", taken.raw)
    assert taken.headers["host"] == f"127.0.0.1:{there.port}"


@pytest.mark.parametrize("fault", ["500", "lost", "redirect"])
@pytest.mark.parametrize("scheme", ["ntfy", "http"])
def test_what_goes_wrong_is_a_problem_and_no_success(fault: str, scheme: str) -> None:
    with services() as there:
        there.faults.append(fault)
        place = "topic" if scheme == "ntfy" else "hook"
        assert sent(opened(f"{scheme}://127.0.0.1:{there.port}/{place}")).problem
        assert len(there.taken) == (1 if fault == "lost" else 0)  # the adapter tries once


def test_a_service_that_hangs_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ordergate.adapters.notify.DEADLINE_S", 0.5)
    with services() as there:
        there.always, there.slow_s = "slow", 2.0
        began = time.monotonic()
        told = asyncio.run(
            _send(
                opened(
                    f"ntfy://127.0.0.1:{there.port}/slow", f"http://127.0.0.1:{there.port}/hook"
                ),
                ASK,
            )
        )
        assert time.monotonic() - began < 1.5
    assert all(one.problem for one in told)


def test_nobody_there_is_a_problem_that_names_no_secret(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    delivery = sent(opened("ntfy://user:hunter2@127.0.0.1:1/secret-topic"))
    assert delivery.problem
    said = f"{delivery} {caplog.text} {capfd.readouterr()}"
    assert "hunter2" not in said
    assert "secret-topic" not in said


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/hook",
        "https://127.0.0.1:9/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/hook",
        "https://192.168.1.10/hook",
        "https://100.64.0.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://[64:ff9b::a00:1]/hook",
        "https://[fe80::1]/hook",
        "https://0.0.0.0/hook",
        "ntfy://127.0.0.1:9/topic",
        "ntfys://10.0.0.1/topic",
        "gotifys://192.168.1.10/AbCdEfGhIjKlMnO",
        "mailtos://user:pass@10.0.0.1/?from=a@b.org&to=c@d.org",
    ],
)
def test_nothing_private_is_called(url: str) -> None:
    try:
        problem = sent(opened(url, loopback=False)).problem
    except ChannelRefused as refused:
        problem = str(refused)
    assert problem
    assert "private" in problem or "https" in problem, problem


@pytest.mark.parametrize(
    "url",
    [
        "ntfys://ntfy.example/topic?actions=view,Approve,https://evil.example",
        "ntfys://ntfy.example/topic?click=https://evil.example",
        "ntfys://ntfy.example/topic?redirect=yes",
        "ntfys://ntfy.example/topic?verify=no",
        "json://hook.example/x",
        "apprises://hook.example/x",
        "nonsense",
    ],
)
def test_what_could_be_pressed_or_go_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(ChannelRefused) as refused:
        opened(url)
    assert "evil" not in str(refused.value)
    assert "topic" not in str(refused.value)
