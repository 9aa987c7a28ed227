"""What every page shares: the frame with mode, kill switch and sign-out, and small shapes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import Mode
from ordergate.model.values import plain
from ordergate.model.views import PriceView
from ordergate.surfaces.catalogue.rendering import untrusted
from ordergate.surfaces.console.markup import Child, Html, joined, tag

LABELS: Final = {Mode.PAPER: "PAPER", Mode.DEMO: "DEMO", Mode.LIVE: "LIVE"}
NOTHING: Final = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the header of a page says. mode None = the venue cannot be read."""

    mode: Mode | None
    killed: bool
    operator: str
    csrf: str
    passkeys: bool = False  # the operator has one, so that a page may ask for it


def page(
    title: str,
    *content: Child,
    frame: Frame | None,
    refresh: str | None = None,
    script: bool = False,
) -> str:
    """Return a whole document; without a frame it is a page for someone not signed in.

    `script` adds the one script of ours, which asks a passkey; every page works without it.
    """
    mode = frame.mode if frame else None
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="refresh", content=f"0;url={refresh}") if refresh else None,
        tag("title", f"{title} · ordergate"),
        tag("link", rel="stylesheet", href="/console.css"),
        tag("link", rel="icon", href="/icon.svg"),
        tag("script", src="/passkey.js", defer=True) if script else None,
    )
    body = tag(
        "body",
        _header(frame),
        _live_warning(mode),
        tag("main", tag("h1", title), *content),
        class_=f"mode-{mode}" if mode else "mode-none",
    )
    return f"<!doctype html>{tag('html', head, body, lang='en')}"


def form(action: str, *content: Child, csrf: str | None, class_: str | None = None) -> Html:
    """Return a form that posts with the session's CSRF token."""
    token = tag("input", type="hidden", name="csrf", value=csrf) if csrf else None
    return tag("form", token, *content, action=action, method="post", class_=class_)


def button(label: str, *, kind: str = "plain") -> Html:
    return tag("button", label, type="submit", class_=kind)


def field(label: str, name: str, *, required: bool = True, **attributes: str) -> Html:
    given = {"autocomplete": "off", **attributes}
    return tag("label", tag("span", label), tag("input", name=name, required=required, **given))


def code_field(label: str = "Code of your authenticator, or a recovery code") -> Html:
    return field(label, "code", autocomplete="one-time-code", maxlength="64", spellcheck="false")


def factor(frame: Frame, label: str, *, act: str, target: str, kind: str = "yes") -> Html:
    """Return the end of a form for a privileged act: a code is typed, or a passkey touched."""
    asked = {"data_act": act, "data_target": target}
    return tag(
        "div",
        tag("input", type="hidden", name="assertion", value=""),
        # Shown by the script, where there is one: without it the button could do nothing.
        tag(
            "button",
            f"{label} with a passkey",
            type="button",
            class_=f"{kind} passkey",
            hidden=True,
            **asked,
        )
        if frame.passkeys
        else None,
        code_field(),
        button(label, kind=kind),
        tag("p", "", class_="failure", role="alert", hidden=True) if frame.passkeys else None,
        class_="factor",
    )


def sign_in_form(back: str) -> Html:
    """Return the forms that sign in, by password and code or by passkey, and lead back."""
    where = tag("input", type="hidden", name="next", value=back)
    return tag(
        "div",
        form(
            "/sign-in",
            where,
            field("Name", "name", value="operator", autocomplete="username"),
            field("Password", "password", type="password", autocomplete="current-password"),
            code_field(),
            button("Sign in", kind="yes"),
            csrf=None,
            class_="card",
        ),
        form(
            "/sign-in/passkey",
            where,
            tag("input", type="hidden", name="assertion", value=""),
            tag(
                "button",
                "Sign in with a passkey",
                type="button",
                class_="passkey",
                hidden=True,
                data_act="sign_in",
            ),
            tag("p", "", class_="failure", role="alert", hidden=True),
            csrf=None,
            class_="card",
        ),
    )


def priced(now: PriceView) -> Html:
    """Return a price with where from, how old, and SYNTHETIC where it is made up."""
    made_up = tag("span", "SYNTHETIC", class_="pill synthetic") if now.synthetic else None
    age = f"{now.age_s:.1f} s old" if now.age_s is not None else "no age"
    words = f"{now.source}, {age}" if now.price is not None else f"{now.source}: no price now"
    return tag("span", number(now.price), " ", made_up, tag("small", words))


def facts(rows: Iterable[tuple[str, Child]]) -> Html:
    """Return a list of names and values; numbers stand in tabular figures."""
    return tag(
        "dl",
        [tag("div", tag("dt", name), tag("dd", value)) for name, value in rows],
        class_="facts",
    )


def card(title: str, *content: Child, class_: str = "") -> Html:
    return tag("section", tag("h2", title), *content, class_=f"card {class_}".strip())


def spoken(words: str) -> str:
    """Return another's words fit to be shown: no controls, links or markup, at most 500 letters."""
    said = untrusted("", words)
    return said.text if said else NOTHING


def number(value: Decimal | None) -> str:
    return NOTHING if value is None else plain(value)


def moment(at: datetime | None) -> str:
    return NOTHING if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _header(frame: Frame | None) -> Html:
    brand = tag("a", "ordergate", href="/", class_="brand")
    if frame is None:
        return tag("header", brand)
    label = LABELS[frame.mode] if frame.mode else "MODE UNKNOWN"
    return tag(
        "header",
        brand,
        tag("span", label, class_=f"pill {frame.mode or 'unknown'}"),
        tag("a", "KILL SWITCH ON", href="/halts", class_="pill killed") if frame.killed else None,
        tag(
            "nav",
            tag("a", "Drafts", href="/drafts"),
            tag("a", "Halts", href="/halts"),
            tag("a", "Arming", href="/arming"),
            tag("a", "Alerts", href="/alerts"),
            tag("a", "Security", href="/security"),
        ),
        form("/sign-out", button(f"Sign out {frame.operator}"), csrf=frame.csrf, class_="sign-out"),
    )


def _live_warning(mode: Mode | None) -> Html:
    if mode is not Mode.LIVE:
        return joined(())
    return tag("p", "LIVE ACCOUNT: orders move real money.", class_="live-warning", role="alert")
