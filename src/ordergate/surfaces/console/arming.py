"""Live arming at the operator's listener: how it stands, what a passkey signs, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ordergate.identity.authority import Act, require
from ordergate.identity.factors.challenges import Purpose
from ordergate.identity.sign_in import SignIn
from ordergate.model.accounts import Mode
from ordergate.model.arming import HOURS_DEFAULT, HOURS_MAX, Arming, ArmingOffer
from ordergate.model.canonical import plain_data
from ordergate.model.errors import InvalidArgument
from ordergate.model.values import AccountId, NotANumber, parse_decimal, plain
from ordergate.model.views import ArmingView
from ordergate.order.desk import Desk
from ordergate.order.gateway import Gateway
from ordergate.surfaces.console.answers import answer
from ordergate.surfaces.console.entry import (
    FACTOR,
    Entry,
    Visit,
    only,
    read_object,
    shown_in,
    text,
)
from ordergate.surfaces.console.frame import (
    Frame,
    button,
    card,
    factor,
    facts,
    field,
    form,
    moment,
)
from ordergate.surfaces.console.markup import Child, Html, tag
from ordergate.surfaces.console.visiting import Visiting, shown, to

TITLE: Final = "Live arming"
# What an operator should have read before opening an account to real money.
SHOWN: Final = (
    "limits.symbols_allow",
    "limits.risk_per_trade_fraction",
    "limits.order_notional_fraction",
    "limits.gross_exposure_fraction",
    "limits.daily_loss_fraction",
    "limits.notional_per_day_max_fraction",
    "limits.repeat_orders_max",
    "limits.live_managed_stop_notional_max",
)


class ArmingActs:
    """Endpoints for programs under /operator/arming and for a person under /arming."""

    def __init__(self, *, desk: Desk, gateway: Gateway, sign_in: SignIn) -> None:
        self._desk = desk
        self._entry = Entry(sign_in)
        self._visiting = Visiting(gateway=gateway, sign_in=sign_in)

    def routes(self) -> list[Route]:
        table = [
            ("GET", "/operator/arming", self.status),
            ("POST", "/operator/arming/offer", self.offer),
            ("POST", "/operator/arming/arm", self.arm),
            ("POST", "/operator/arming/disarm", self.disarm),
            ("GET", "/arming", self.page),
            ("POST", "/arming/offer", self.offer_page),
            ("POST", "/arming/arm", self.arm_page),
            ("POST", "/arming/disarm", self.disarm_page),
        ]
        return [Route(path, act, methods=[method]) for method, path, act in table]

    async def status(self, request: Request) -> Response:
        await self._entry.visit(request)
        return answer(_shape(await self._desk.arming()))

    async def offer(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "account", "hours")
        return answer(_offer_shape(await self._offered(fields, visit)))

    async def arm(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, *FACTOR, "account", "offer")
        return answer(plain_data(await self._armed(request, fields, visit)))

    async def disarm(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        fields = await read_object(request)
        only(fields, "account", "reason")
        return answer(plain_data(await self._disarmed(fields, visit)))

    async def page(self, request: Request) -> Response:
        visit = await self._visiting.visit(request)
        view, frame = await self._desk.arming(), await self._visiting.frame(visit)
        return shown(TITLE, _standing(view, frame), _limits(view), frame=frame)

    async def offer_page(self, request: Request) -> Response:
        visit, fields = await self._visiting.writer(request, "account", "hours")
        offer = await self._offered(fields, visit)
        view, frame = await self._desk.arming(), await self._visiting.frame(visit)
        content = (_signing(offer, frame), _limits(view))
        return shown(TITLE, *content, frame=frame, script=frame.passkeys)

    async def arm_page(self, request: Request) -> Response:
        visit, fields = await self._visiting.writer(request, *FACTOR, "account", "offer")
        await self._armed(request, fields, visit)
        return to("/arming")

    async def disarm_page(self, request: Request) -> Response:
        visit, fields = await self._visiting.writer(request, "account", "reason")
        await self._disarmed(fields, visit)
        return to("/arming")

    async def _offered(self, fields: Mapping[str, object], visit: Visit) -> ArmingOffer:
        require(visit.operator, Act.ARM)
        return await self._desk.offer_arming(
            AccountId(text(fields, "account")),
            hours=_hours(text(fields, "hours", default=plain(HOURS_DEFAULT))),
            operator=visit.operator,
        )

    async def _armed(self, request: Request, fields: Mapping[str, object], visit: Visit) -> Arming:
        require(visit.operator, Act.ARM)
        account, offer = AccountId(text(fields, "account")), text(fields, "offer")
        purpose = Purpose(act=Act.ARM.value, target=offer, over=offer)
        proven = await self._entry.prove(request, visit, purpose, shown_in(fields))
        return await self._desk.arm(account, operator=proven.operator, proof=proven.proof)

    async def _disarmed(self, fields: Mapping[str, object], visit: Visit) -> Arming:
        return await self._desk.disarm(
            AccountId(text(fields, "account")),
            reason=text(fields, "reason", default=""),
            operator=visit.operator,
        )


def _hours(words: str) -> Decimal:
    try:
        return parse_decimal(words)
    except NotANumber:
        raise InvalidArgument('hours must be a plain number in quotes, such as "1"') from None


def _shape(view: ArmingView) -> dict[str, Any]:
    return {
        "account": view.identity.account,
        "venue": view.identity.venue,
        "mode": view.identity.mode,
        "proof": view.identity.proof,
        "switched_on": view.switches.on,
        "because": view.switches.because,
        "armed": view.arming is not None,
        "arming": plain_data(view.arming),
        "page": "/arming",
    }


def _offer_shape(offer: ArmingOffer) -> dict[str, Any]:
    shape: dict[str, Any] = plain_data(offer)
    return shape | {"digest": offer.digest}


def _standing(view: ArmingView, frame: Frame) -> Html:
    identity, armed = view.identity, view.arming
    rows: list[tuple[str, Child]] = [
        ("Account", f"{identity.account} at {identity.venue}"),
        ("The venue proves", f"{identity.mode.upper()}: {identity.proof}"),
        ("Live switches", "on" if view.switches.on else f"off: {view.switches.because}"),
        ("Armed", f"until {moment(armed.until)} by {armed.by}" if armed else "no"),
    ]
    account = tag("input", type="hidden", name="account", value=identity.account)
    if armed is not None:
        act: Child = form(
            "/arming/disarm",
            account,
            field("Why", "reason", required=False, maxlength="500"),
            button("Disarm now", kind="no"),
            csrf=frame.csrf,
        )
    elif identity.mode is Mode.LIVE and view.switches.on:
        act = form(
            "/arming/offer",
            account,
            field(f"Hours, at most {plain(HOURS_MAX)}", "hours", value=plain(HOURS_DEFAULT)),
            button("Prepare to arm"),
            csrf=frame.csrf,
        )
    else:
        act = tag("p", "There is nothing to arm here. Exits need no arming, ever.")
    return card("Arming", facts(rows), act)


def _signing(offer: ArmingOffer, frame: Frame) -> Html:
    """Return the form whose passkey challenge is the offer's own hash."""
    rows: list[tuple[str, Child]] = [
        ("Account", f"{offer.account} at {offer.venue}"),
        ("For", f"{plain(offer.hours)} h, or until a restart"),
        ("Sign before", moment(offer.expires_at)),
        ("Hash", tag("code", offer.digest)),
    ]
    return card(
        "Open this account to new risk with real money",
        facts(rows),
        tag("p", "Every opening order still waits for your signature. Exits never wait."),
        form(
            "/arming/arm",
            tag("input", type="hidden", name="account", value=offer.account),
            tag("input", type="hidden", name="offer", value=offer.digest),
            factor(frame, "Arm", act=Act.ARM, target=offer.digest),
            csrf=frame.csrf,
        ),
        tag("p", "Only a passkey arms: enrol one on the page Security."),
    )


def _limits(view: ArmingView) -> Html:
    rows = {row.name: f"{row.value} {row.unit}" for row in view.limits}
    shown: list[tuple[str, Child]] = [(name, rows[name]) for name in SHOWN if name in rows]
    return card("Limits of this account", facts(shown))
