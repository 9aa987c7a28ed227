"""The operator's own page: passkeys, authenticator, recovery codes, sign-ins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import segno

from ordergate.identity.authority import Act
from ordergate.identity.factors.passkeys import NAME_MAX, short_id
from ordergate.model.records import PasskeyRecord, SessionRecord
from ordergate.surfaces.console.frame import (
    Frame,
    button,
    card,
    code_field,
    factor,
    facts,
    field,
    form,
    moment,
)
from ordergate.surfaces.console.markup import Child, Html, tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the operator signs in with, and where they are signed in."""

    passkeys: Sequence[PasskeyRecord]
    sessions: Sequence[SessionRecord]
    codes_left: int
    here: str  # the session that looks


def security_content(held: Held, *, frame: Frame) -> list[Child]:
    """Return the page's parts."""
    return [
        card(f"Passkeys: {len(held.passkeys)}", [_passkey(one, frame) for one in held.passkeys]),
        _add_passkey(frame),
        card(
            f"Recovery codes left: {held.codes_left}",
            tag("p", "Ten new ones take the place of all you have."),
            form("/security/recovery-codes", _factor(frame, "Make new codes"), csrf=frame.csrf),
        ),
        card(
            "Password",
            tag("p", "A new one takes the old one's place and ends every other sign-in."),
            form("/security/password", _factor(frame, "Make a new password"), csrf=frame.csrf),
        ),
        card(
            "Authenticator",
            tag("p", "A new one takes the old one's place when it has shown a right code."),
            form("/security/totp", _factor(frame, "Begin with a new one"), csrf=frame.csrf),
        ),
        card(
            f"Signed in: {len(held.sessions)}",
            [_session(one, held.here, frame) for one in held.sessions],
        ),
    ]


def password_content(password: str) -> Html:
    """Return a new password, shown this once."""
    return card(
        "Your new password",
        tag("p", "It is shown this once: keep it where no agent reads."),
        tag("p", tag("code", password), class_="codes"),
        tag("p", tag("a", "I have kept it", href="/security")),
    )


def codes_content(codes: Sequence[str]) -> Html:
    """Return ten recovery codes, shown this once."""
    return card(
        "Recovery codes",
        tag("p", "Each is good once. They are shown this once: keep them where no agent reads."),
        tag("ul", [tag("li", tag("code", code)) for code in codes], class_="codes"),
        tag("p", tag("a", "I have kept them", href="/security")),
    )


def totp_content(otpauth: str, *, frame: Frame) -> Html:
    """Return a new authenticator's QR code, shown this once, and the form that confirms it."""
    drawn = segno.make(otpauth, error="m").svg_inline(
        scale=5, dark="#000", light="#fff", omitsize=True
    )
    return card(
        "A new authenticator",
        tag("p", "Scan this, or open the address in your authenticator. It is shown this once."),
        tag("div", Html(drawn), class_="qr"),
        tag("p", tag("code", otpauth), class_="otpauth"),
        form(
            "/security/totp/confirm",
            code_field("The code that it shows now"),
            button("Use it from now on", kind="yes"),
            csrf=frame.csrf,
        ),
    )


def _factor(frame: Frame, label: str) -> Html:
    return factor(frame, label, act=Act.MANAGE_FACTORS, target="", kind="plain")


def _passkey(one: PasskeyRecord, frame: Frame) -> Html:
    rows: list[tuple[str, Child]] = [
        ("Enrolled", moment(one.created_at)),
        ("Last used", moment(one.last_used_at)),
    ]
    return tag(
        "details",
        tag("summary", one.name),
        facts(rows),
        form(
            f"/security/passkeys/{short_id(one.credential_id)}/remove",
            _factor(frame, "Remove"),
            csrf=frame.csrf,
        ),
        class_="line",
    )


def _add_passkey(frame: Frame) -> Html:
    """Return the form the script sends; a device is asked only after a fresh factor was shown."""
    return card(
        "Add a passkey",
        tag(
            "form",
            tag("input", type="hidden", name="csrf", value=frame.csrf),
            field("A name for this device", "name", maxlength=str(NAME_MAX)),
            code_field(),
            tag("button", "Add a passkey", type="submit", class_="yes", disabled=True),
            tag("p", "", class_="failure", role="alert", hidden=True),
            tag("noscript", tag("p", "A passkey needs a script: this page has one of its own.")),
            id="enrol",
            action="/security",
            method="get",
        ),
    )


def _session(one: SessionRecord, here: str, frame: Frame) -> Html:
    mine = one.session_id == here
    rows: list[tuple[str, Child]] = [
        ("Signed in", moment(one.created_at)),
        ("Last seen", moment(one.last_seen_at)),
        ("From", one.address),
        ("Newest factor", f"{one.method.value}, {moment(one.factor_at)}"),
    ]
    end = form(
        f"/security/sessions/{one.session_id}/end", button("End it", kind="no"), csrf=frame.csrf
    )
    return tag("div", tag("p", "This one") if mine else None, facts(rows), None if mine else end)
