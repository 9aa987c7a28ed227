"""A phone: real Chromium, 390 px wide, with a passkey in it, watched for every wrong step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 390, 844
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass
class Phone:
    """One page, and what went wrong on it."""

    page: Page
    origin: str
    session: Any  # of the Chrome DevTools protocol
    authenticator: str
    faults: list[str] = field(default_factory=list)
    scripts: set[str] = field(default_factory=set)

    def open(self, path: str) -> None:
        self.page.goto(path if "://" in path else self.origin + path)
        self.look()

    def look(self) -> None:
        """See that nothing runs out of the screen sideways."""
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > WIDTH:
            self.faults.append(f"{self.page.url} is {width} px wide")

    def press(self, name: str) -> None:
        """Press a button and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()
        self.look()

    def text(self) -> str:
        return " ".join(self.page.inner_text("body").split())

    def verified(self, yes: bool) -> None:
        """Say whether the phone recognises its user from now on."""
        self.session.send(
            "WebAuthn.setUserVerified",
            {"authenticatorId": self.authenticator, "isUserVerified": yes},
        )

    def credentials(self) -> list[dict[str, Any]]:
        asked = {"authenticatorId": self.authenticator}
        held: list[dict[str, Any]] = self.session.send("WebAuthn.getCredentials", asked)[
            "credentials"
        ]
        return held


@contextmanager
def a_phone(origin: str, profile: Path) -> Iterator[Phone]:
    """Switch a phone on; whatever it fetched, it fetched from `origin`."""
    with sync_playwright() as play:
        context = play.chromium.launch_persistent_context(
            str(profile),
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport={"width": WIDTH, "height": HEIGHT},
            is_mobile=True,
            has_touch=True,
        )
        page = context.pages[0] if context.pages else context.new_page()
        session = context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        added = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        phone = Phone(page, origin, session, added["authenticatorId"])
        page.on("request", lambda one: _fetched(phone, one.url))
        page.on("console", lambda said: _said(phone, said.type, said.text))
        page.on("pageerror", lambda error: phone.faults.append(f"script: {error}"))
        page.expose_binding("violated", lambda _, what: phone.faults.append(f"policy: {what}"))
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " (event) => window.violated(event.violatedDirective + ' ' + event.blockedURI))"
        )
        try:
            yield phone
        finally:
            context.close()


def _fetched(phone: Phone, url: str) -> None:
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}" != phone.origin:
        phone.faults.append(f"fetched {url}")
    if parts.path.endswith(".js"):
        phone.scripts.add(parts.path)


def _said(phone: Phone, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        phone.faults.append(f"console: {text}")
