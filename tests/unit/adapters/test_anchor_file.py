"""The anchor outside the data directory, and its twin on a second path."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ordergate.adapters.anchor_file import Anchored, AnchorFile, Anchors, AnchorUnreadable
from ordergate.model.records import AuditHead

HEAD = AuditHead(log_id="log-1", epoch=1, size=7, h="aa", ts="2026-01-07T14:00:00Z", sig="bb")


def at(size: int, *, set_aside: str | None = None) -> Anchored:
    return Anchored(dataclasses.replace(HEAD, size=size), set_aside)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    return tmp_path / "config", tmp_path / "data", tmp_path / "second"


def both(places: tuple[Path, Path, Path]) -> tuple[Anchors, AnchorFile, AnchorFile]:
    config, data, second = places
    anchors = Anchors(config, data, second=second)
    return anchors, AnchorFile(config / "anchors", data), AnchorFile(second, data)


def test_an_anchor_is_kept_in_both_places_and_the_newest_counts(
    places: tuple[Path, Path, Path],
) -> None:
    anchors, first, second = both(places)
    assert anchors.read() is None
    anchors.write(at(5))
    assert (first.read(), second.read()) == (at(5), at(5))
    first.write(at(3))  # rolled back along with the database
    assert anchors.read() == at(5)
    second.write(at(2))
    assert anchors.read() == at(3)
    assert second.path.stat().st_mode & 0o077 == 0


def test_a_record_is_given_up_only_where_nobody_stands_by_it(
    places: tuple[Path, Path, Path],
) -> None:
    anchors, first, second = both(places)
    anchors.write(at(5))
    first.write(at(5, set_aside="mine alone"))
    assert anchors.read() == at(5)
    anchors.write(at(5, set_aside="by the operator"))
    assert anchors.read() == at(5, set_aside="by the operator")
    second.path.unlink()
    assert anchors.read() == at(5, set_aside="by the operator")


def test_a_second_place_out_of_reach_is_told_and_one_that_lies_stops(
    places: tuple[Path, Path, Path],
) -> None:
    anchors, first, second = both(places)
    anchors.write(at(5))
    second.path.write_text("{}")
    with pytest.raises(AnchorUnreadable):
        anchors.read()
    second.path.unlink()
    second.path.mkdir()  # as a place that cannot be read now
    assert anchors.read() == at(5)
    with pytest.raises(OSError):
        anchors.write(at(6))
    assert first.read() == at(6), "the place at hand is written first"
    first.path.write_text("no JSON")
    with pytest.raises(AnchorUnreadable):
        anchors.read()
