"""Who asks: a principal has a kind, and the kind decides what it may ever do."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ordergate.model.values import PrincipalId


class Kind(enum.StrEnum):
    AGENT = "agent"
    READ_ONLY = "read_only"
    OPERATOR = "operator"
    GATEWAY = "gateway"  # managed exits and the cancels of a halt; never holds a credential


class Grant(enum.StrEnum):
    """What the operator gave one token beyond what its kind may do."""

    LIVE = "live"  # propose openings on a live account; each still needs a yes
    OTHERS = "others"  # close and modify what others opened, off paper too


@dataclass(frozen=True, slots=True)
class Principal:
    id: PrincipalId
    kind: Kind
    name: str
    grants: frozenset[Grant] = frozenset()
