from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from ordergate.model.records import Tightening
from ordergate.model.values import PrincipalId
from ordergate.order.policy.limits import Limits, Narrowing, policy_hash
from ordergate.order.policy.loosening import cells, kept_text
from ordergate.order.policy.policybook import SCOPES_KEPT, PolicyBook
from ordergate.order.policy.tightenings import EVERYONE, Scope

OWN = Narrowing(source="agent a", values=(("limits.open_orders_max", Decimal(2)),))
FILE = Limits(narrowings=(OWN,))
TIGHT = Tightening(
    limit_name="limits.open_positions_max",
    value=Decimal(3),
    set_by=PrincipalId("b"),
    set_at=datetime(2026, 1, 7, tzinfo=UTC),
    reason="",
)


def test_each_scope_has_its_own_limits_and_hash() -> None:
    book = PolicyBook(FILE, None, (TIGHT,))
    mine, theirs = Scope(principal="a"), Scope(principal="b")
    assert (book.of(mine).limits.open_orders_max, book.of(theirs).limits.open_orders_max) == (2, 20)
    assert book.of(mine).sources == {
        "limits.open_orders_max": "agent a",
        "limits.open_positions_max": "tightened by b",
    }
    assert book.hash_of(mine) == policy_hash(book.of(mine).limits) != book.hash_of(theirs)
    assert {row.name: row.source for row in book.views(mine)}["limits.open_orders_max"] == "agent a"


def test_the_whole_hash_covers_tables_that_nobody_has_asked_for() -> None:
    plain = PolicyBook(Limits(), None, ())
    assert plain.whole_hash() == policy_hash(Limits())
    assert PolicyBook(FILE, None, ()).whole_hash() != plain.whole_hash()


def test_what_is_kept_holds_the_file_back() -> None:
    kept = kept_text(cells(Limits(open_orders_max=Decimal(5))))
    assert PolicyBook(Limits(), kept, ()).of(EVERYONE).limits.open_orders_max == 5


def test_it_is_made_anew_when_what_it_was_made_of_has_changed() -> None:
    book = PolicyBook(FILE, None, (TIGHT,))
    assert book.is_of(Limits(narrowings=(OWN,)), None, [TIGHT])
    for other in ((Limits(), None, [TIGHT]), (FILE, "{}", [TIGHT]), (FILE, None, [])):
        assert not book.is_of(*other)


def test_however_many_ask_it_stays_small() -> None:
    book = PolicyBook(FILE, None, ())
    for n in range(SCOPES_KEPT + 5):
        assert book.of(Scope(principal=str(n))).limits.open_orders_max == 20
        assert len(book._scopes) <= SCOPES_KEPT
    assert book.of(Scope(principal="a")).limits.open_orders_max == 2


def test_what_was_worked_out_is_kept_up_to_its_bound() -> None:
    book = PolicyBook(FILE, None, ())
    scopes = [Scope(principal=str(n)) for n in range(SCOPES_KEPT)]
    first = [book.of(scope) for scope in scopes]
    assert all(book.of(scope) is known for scope, known in zip(scopes, first, strict=True))
