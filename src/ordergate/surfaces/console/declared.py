"""Every route of the operator's listener with the act it stands for; a test enumerates both.

None is what a signed-in operator may do without deciding anything, and signing in itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ordergate.identity.authority import Act

DECLARED: Final[Mapping[tuple[str, str], Act | None]] = {
    ("POST", "/operator/sign-in"): None,
    ("POST", "/operator/sign-out"): None,
    ("GET", "/operator/approvals"): Act.READ_ACCOUNT,
    ("GET", "/operator/approvals/{id}"): Act.READ_ACCOUNT,
    ("POST", "/operator/approvals/{id}/approve"): Act.APPROVE,
    ("POST", "/operator/approvals/{id}/deny"): Act.DENY,
    ("GET", "/operator/drafts"): Act.READ_ACCOUNT,
    ("POST", "/operator/drafts/{id}/submit"): Act.SUBMIT_DRAFT,
    ("POST", "/operator/drafts/{id}/discard"): Act.WITHDRAW,
    ("GET", "/operator/halts"): Act.READ_SAFETY,
    ("POST", "/operator/halts"): Act.ENGAGE_KILL,
    ("POST", "/operator/halts/{id}/release"): Act.RELEASE,
    ("GET", "/operator/parked"): Act.READ_ACCOUNT,
    ("POST", "/operator/orders/{id}/resolve"): Act.RESOLVE,
    ("POST", "/operator/positions/{id}/close"): Act.CLOSE,
    ("POST", "/operator/limits/{name}/loosen"): Act.LOOSEN,
    ("POST", "/operator/limits/{name}/withdraw"): Act.LOOSEN,
    # What shares its risk with what: two names taken for one may set each other off.
    ("GET", "/operator/underlyings"): Act.READ_SAFETY,
    ("POST", "/operator/underlyings"): Act.LOOSEN,
    ("POST", "/operator/underlyings/remove"): Act.LOOSEN,
    ("GET", "/operator/external"): Act.READ_ACCOUNT,
    ("POST", "/operator/feed"): Act.SET_PACE,
    ("GET", "/operator/tokens"): Act.MAKE_TOKENS,
    ("POST", "/operator/tokens"): Act.MAKE_TOKENS,
    ("DELETE", "/operator/tokens/{id}"): Act.MAKE_TOKENS,
    ("GET", "/operator/audit/export"): Act.EXPORT_AUDIT,
    ("GET", "/operator/arming"): Act.READ_SAFETY,
    ("POST", "/operator/arming/offer"): Act.ARM,
    ("POST", "/operator/arming/arm"): Act.ARM,
    ("POST", "/operator/arming/disarm"): Act.DISARM,
    ("GET", "/operator/alerts"): Act.READ_SAFETY,
    ("POST", "/operator/alerts/test"): Act.ACKNOWLEDGE,
    ("POST", "/operator/alerts/{id}/acknowledge"): Act.ACKNOWLEDGE,
    ("GET", "/readyz"): None,
    ("GET", "/.well-known/ordergate"): None,
    ("GET", "/"): Act.READ_ACCOUNT,
    ("GET", "/console.css"): None,
    ("GET", "/sign-in"): None,
    ("POST", "/sign-in"): None,
    ("POST", "/sign-out"): None,
    ("GET", "/approve/{id}"): Act.READ_ACCOUNT,
    ("POST", "/approve/{id}/yes"): Act.APPROVE,
    ("POST", "/approve/{id}/no"): Act.DENY,
    ("GET", "/orders/{id}"): Act.READ_ACCOUNT,
    ("POST", "/orders/{id}/placed"): Act.RESOLVE,
    ("POST", "/orders/{id}/not-placed"): Act.RESOLVE,
    ("POST", "/limits/{name}/loosen"): Act.LOOSEN,
    ("POST", "/limits/{name}/withdraw"): Act.LOOSEN,
    ("GET", "/drafts"): Act.READ_ACCOUNT,
    ("POST", "/drafts/{id}/submit"): Act.SUBMIT_DRAFT,
    ("POST", "/drafts/{id}/discard"): Act.WITHDRAW,
    ("GET", "/halts"): Act.READ_SAFETY,
    ("POST", "/halts"): Act.ENGAGE_KILL,
    ("POST", "/halts/{id}/release"): Act.RELEASE,
    ("GET", "/alerts"): Act.READ_SAFETY,
    ("POST", "/alerts/{id}/acknowledge"): Act.ACKNOWLEDGE,
    ("GET", "/arming"): Act.READ_SAFETY,
    ("POST", "/arming/offer"): Act.ARM,
    ("POST", "/arming/arm"): Act.ARM,
    ("POST", "/arming/disarm"): Act.DISARM,
}
