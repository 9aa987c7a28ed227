"""A client of a real operator listener that signs in and shows a fresh factor as a person does."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from support.soft_passkey import SoftPasskey

# What a passkey is asked for: the act, and what of the path it acts on; an arming its own offer.
ACTS = {
    r"/operator/approvals/([^/]+)/approve": "approve",
    r"/operator/drafts/([^/]+)/submit": "submit_draft",
    r"/operator/halts/([^/]+)/release": "release",
    r"/operator/orders/([^/]+)/resolve": "resolve",
    r"/operator/limits/([^/]+)/loosen": "loosen",
    r"/operator/tokens()": "make_tokens",
    r"/operator/audit/export()": "export_audit",
    r"/operator/arming/arm": "arm",
    r"/operator/(underlyings)(?:/remove)?": "loosen",
    r"/operator/positions/([^/]+)/close": "resolve",
}


class OperatorClient(httpx.Client):
    """`post` touches the passkey where the act asks for a factor and none was given."""

    def __init__(self, console: str) -> None:
        place = urlsplit(console)
        self.console = console
        self.passkey: SoftPasskey | None = None
        super().__init__(
            base_url=f"http://127.0.0.1:{place.port}",
            headers={"Host": place.netloc, "Origin": console},
            timeout=20,
            trust_env=False,
            event_hooks={"response": [self._keep_cookie]},
        )

    def sign_in(self, name: str, password: str, code: str) -> None:
        who = {"name": name, "password": password, "code": code}
        self._entered(super().post("/operator/sign-in", json=who))

    def enrol(self, code: str) -> SoftPasskey:
        """Make this client's device a passkey of the operator."""
        self.passkey = SoftPasskey(self.console, key=generate_private_key(SECP256R1()))
        options = self._good("/operator/passkeys/options", {"code": code})
        made = {"name": "test", "credential": self.passkey.create(options)}
        self._good("/operator/passkeys", made)
        return self.passkey

    def sign_in_with(self, passkey: SoftPasskey) -> None:
        self.passkey = passkey
        options = self._good("/operator/sign-in/passkey/options", {})
        answer = {"assertion": passkey.get(options)}
        self._entered(super().post("/operator/sign-in/passkey", json=answer))

    def post(self, url: Any, **more: Any) -> httpx.Response:
        fields = more.get("json")
        for pattern, act in ACTS.items():
            found = re.fullmatch(pattern, str(url))
            if found and self.passkey and not {"code", "assertion"} & set(fields or {}):
                target = found[1] if found.re.groups else (fields or {}).get("offer", "")
                asked = {"act": act, "target": target}
                options = super().post("/operator/factor", json=asked).json()
                if not options["ok"]:
                    continue  # there is no such thing to act on: the act itself says so
                signed = self.passkey.get(options["data"])
                more["json"] = {**(fields or {}), "assertion": signed}
        return super().post(url, **more)

    def _good(self, path: str, fields: dict[str, Any]) -> Any:
        reply = super().post(path, json=fields)
        assert reply.status_code == 200, reply.text
        return reply.json()["data"]

    def _entered(self, reply: httpx.Response) -> None:
        assert reply.status_code == 200, reply.text
        self.headers["X-CSRF-Token"] = reply.json()["data"]["csrf"]

    def _keep_cookie(self, reply: httpx.Response) -> None:
        told = reply.headers.get("set-cookie", "").partition(";")[0]
        if told.partition("=")[2]:
            self.headers["Cookie"] = told
        self.cookies.clear()
