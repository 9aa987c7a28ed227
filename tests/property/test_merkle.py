"""The incremental tree is the tree of RFC 9162, however the leaves arrive."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ordergate.audit.checkpoint import Peaks
from support.examples import examples

LEAVES = st.lists(st.binary(min_size=32, max_size=32), max_size=70)


def tree(leaves: list[bytes]) -> bytes:
    """Return the hash by the recursive definition (RFC 9162 2.1.1), over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + tree(leaves[:split]) + tree(leaves[split:])).digest()


@examples(200)
@given(LEAVES)
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert Peaks().plus(leaf.hex() for leaf in leaves).root() == tree(leaves).hex()


@examples(200)
@given(LEAVES, st.data())
def test_it_does_not_matter_where_one_stopped_and_went_on(
    leaves: list[bytes], data: st.DataObject
) -> None:
    stop = data.draw(st.integers(0, len(leaves)))
    hexes = [leaf.hex() for leaf in leaves]
    parts = Peaks().plus(hexes[:stop]).plus(hexes[stop:])
    assert parts == Peaks().plus(hexes)
    assert len(parts.hashes) == len(leaves).bit_count()


@examples(200)
@given(LEAVES.filter(bool), st.data())
def test_another_leaf_gives_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    other = bytes(leaves[place][:-1]) + bytes([leaves[place][-1] ^ 1])
    changed = [*leaves[:place], other, *leaves[place + 1 :]]
    hexes = Peaks().plus(leaf.hex() for leaf in leaves)
    assert hexes.root() != Peaks().plus(leaf.hex() for leaf in changed).root()
