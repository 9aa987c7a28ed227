"""TOTP seeds lie in a file that only the gateway's user reads, and each is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ordergate.adapters.keys import KeyUnusable
from ordergate.adapters.seed_file import SEED_FILE, SeedFile


def test_seeds_are_kept_per_operator_in_a_private_file(tmp_path: Path) -> None:
    seeds = SeedFile(tmp_path / "config")
    assert seeds.read("operator:ann") is None
    seeds.put("operator:ann", "AAAA")
    seeds.put("operator:bob", "BBBB")
    seeds.put("operator:ann", "CCCC")
    again = SeedFile(tmp_path / "config")
    assert (again.read("operator:ann"), again.read("operator:bob")) == ("CCCC", "BBBB")
    file = tmp_path / "config" / SEED_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == [SEED_FILE], "no draft is left"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_read_is_refused(tmp_path: Path, mode: int) -> None:
    seeds = SeedFile(tmp_path)
    seeds.put("operator:ann", "AAAA")
    (tmp_path / SEED_FILE).chmod(mode)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        seeds.read("operator:ann")


@pytest.mark.parametrize("text", ["", "[]", "{", "seed"])
def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path, text: str) -> None:
    file = tmp_path / SEED_FILE
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(KeyUnusable, match="damaged"):
        SeedFile(tmp_path).read("operator:ann")
