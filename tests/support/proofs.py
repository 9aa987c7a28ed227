"""How the operator of a test showed that it was them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from ordergate.model.proofs import Method, Proof

SIGNED_IN: Final = Proof(method=Method.PASSWORD, at=datetime(2026, 1, 7, 14, tzinfo=UTC))
