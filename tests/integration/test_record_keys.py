"""The signing key: rotated under both keys, over a crash; lost, and the record begun anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ordergate.adapters.anchor_file import Anchored
from ordergate.adapters.keys import NEXT_KEY, load_keys, published_key, verifier
from ordergate.adapters.storage.frozen import FrozenBooks
from ordergate.adapters.storage.log_file import open_log, verify_file
from ordergate.adapters.storage.store import SqliteStore, SqlStore
from ordergate.adapters.system import random_bytes
from ordergate.audit.checkpoint import Verdict
from ordergate.bootstrap import rotating
from ordergate.bootstrap.house import GATE_FILE, anchors_of, database_of
from ordergate.bootstrap.offline import (
    order_receipt,
    rotate_audit_key,
    set_aside,
    verify_audit,
)
from ordergate.bootstrap.opening import Opened, open_books
from ordergate.bootstrap.rotating import finish_rotation
from ordergate.model.errors import IllegalState, InvalidArgument, NotFound
from ordergate.settings.load import Settings, load
from support.oracle_verify import ordergate_verify, verdict
from support.sealed_log import fill_log, seal_of


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directories of a gateway that has sealed 300 records and stopped."""
    root = tmp_path_factory.mktemp("master")
    seal_more(settings_of(root), 300)
    return root


@pytest.fixture
def settings(master: Path, tmp_path: Path) -> Settings:
    for name in ("config", "data"):
        shutil.copytree(master / name, tmp_path / name)
    settings = settings_of(tmp_path)
    with open_log(settings.directories.data / GATE_FILE) as log:
        assert log.head is not None
        anchors_of(settings).write(Anchored(log.head))
    return settings


def settings_of(root: Path) -> Settings:
    for name in ("config", "data"):
        (root / name).mkdir(mode=0o700, exist_ok=True)
    return load(
        {
            "ORDERGATE_CONFIG_DIR": str(root / "config"),
            "ORDERGATE_DATA_DIR": str(root / "data"),
        }
    )


def seal_more(settings: Settings, count: int) -> None:
    where = settings.directories
    keys = load_keys(where.config, chance=random_bytes)
    store = SqliteStore.open(where.data / GATE_FILE)
    seal = seal_of(sign=keys.sign)
    store.write_now(lambda tx: fill_log(tx, count, seal=seal))
    store.write_now(seal.checkpoint)
    head = store.read_now(lambda tx: tx.audit_head())
    store.close_now()
    assert head is not None
    anchors_of(settings).write(Anchored(head))


def opened(settings: Settings) -> Opened:
    where = settings.directories
    keys = load_keys(where.config, chance=random_bytes)
    return open_books(
        database_of(settings),
        anchors=anchors_of(settings),
        verify=verifier(keys.public),
        credentials=lambda _: None,
        keyless=keys.lost,
    )


def test_a_rotated_record_is_proven_by_either_key(settings: Settings) -> None:
    config, database = settings.directories.config, settings.directories.data / GATE_FILE
    old = published_key(config)
    told = rotate_audit_key(settings)
    assert (told["record"], told["old"], told["public_key"]) == (301, old, published_key(config))
    assert published_key(config) != old
    assert (config / f"audit-{old[:8]}.pub").read_text().strip() == old
    assert (config / "audit.key").stat().st_mode & 0o077 == 0
    assert not (config / NEXT_KEY).exists()
    seal_more(settings, 300)
    rotate_audit_key(settings)
    assert verify_audit(settings)["records"] == 602
    for public in (old, str(told["public_key"]), published_key(config)):
        assert verify_audit(settings, (database,), public=public)["records"] == 602
        assert verdict(database, public) == (0, None)
    stranger = "11" * 32
    assert verdict(database, stranger)[0] == 1
    assert verify_file(database, verify=verifier(stranger)).verdict is Verdict.TAMPERED


def test_the_key_that_was_rotated_away_signs_nothing_more(settings: Settings) -> None:
    config, database = settings.directories.config, settings.directories.data / GATE_FILE
    stolen = load_keys(config, chance=random_bytes).sign
    rotate_audit_key(settings)
    store = SqliteStore.open(database)
    store.write_now(lambda tx: fill_log(tx, 5, seal=seal_of(sign=stolen)))
    store.close_now()
    assert verify_file(database, verify=verifier(published_key(config))).verdict is Verdict.TAMPERED
    assert verdict(database, published_key(config))[0] == 1


@pytest.mark.parametrize("crash", ["next_pair", "write_now", "take_next", "half taken"])
def test_a_crash_during_a_rotation_is_mended_at_the_next_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    config = settings.directories.config
    old = published_key(config)

    class Died(Exception):
        """The process ended here."""

    def die(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patch, pytest.raises(Died):
        if crash == "half taken":
            patch.setattr(Path, "replace", _after(Path.replace, die, ".pub.new"))
        elif crash == "write_now":
            patch.setattr(SqlStore, "write_now", die)
        elif crash == "next_pair":
            patch.setattr(SqlStore, "over", die)
        else:
            patch.setattr(rotating, "take_next", die)
        rotate_audit_key(settings)
    finish_rotation(config, database_of(settings))
    finish_rotation(config, database_of(settings))
    assert not (config / NEXT_KEY).exists()
    keys = load_keys(config, chance=random_bytes)
    assert keys.lost is None
    went_on = crash in ("take_next", "half taken")
    assert (keys.public != old) is went_on
    found = opened(settings)
    assert found.damaged is None
    found.books.close_now()
    assert verify_audit(settings)["records"] == (301 if went_on else 300)


def _after(real: object, die: object, suffix: str) -> object:
    def replace(path: Path, target: Path) -> Path:
        made: Path = real(path, target)  # type: ignore[operator]
        if path.name.endswith(suffix):
            die()  # type: ignore[operator]
        return made

    return replace


def test_a_lost_key_lets_exits_out_alone_and_the_record_can_be_given_up(
    settings: Settings,
) -> None:
    config = settings.directories.config
    old = published_key(config)
    (config / "audit.key").unlink()
    found = opened(settings)
    assert isinstance(found.books, FrozenBooks)
    assert found.damaged is not None
    assert "signing key is lost" in found.damaged
    found.books.close_now()
    assert not (config / "audit.key").exists(), "no key is made beside the record of another"
    assert verify_audit(settings)["records"] == 300, "what was sealed is still proven"
    with pytest.raises(IllegalState):
        rotate_audit_key(settings)
    set_aside(settings, "the key was lost")
    again = load_keys(config, chance=random_bytes)
    assert again.lost is None
    assert again.public != old
    fresh = opened(settings)
    assert fresh.damaged is None
    assert fresh.lost is not None, "the new record begins with a link to the old one"
    assert (fresh.lost.log_id, fresh.lost.size) == ("log-1", 300)
    fresh.books.close_now()
    (kept,) = settings.directories.data.glob("set-aside-*-gate.db")
    public = (config / f"audit-{old[:8]}.pub").read_text().strip()
    assert verify_file(kept, verify=verifier(public)).verdict is Verdict.OK


def test_another_key_in_its_place_is_a_lost_key(settings: Settings) -> None:
    config = settings.directories.config
    (config / "audit.key").write_bytes(bytes(32))
    assert load_keys(config, chance=random_bytes).lost is not None
    set_aside(settings, "somebody changed the key")
    assert load_keys(config, chance=random_bytes).lost is None


def test_an_order_has_a_receipt_that_a_stranger_verifies(
    settings: Settings, tmp_path: Path
) -> None:
    out = tmp_path / "receipt.json"
    told = order_receipt(settings, "order-7", out)
    assert (told["records"], told["waiting"]) == (3, 0)
    public = str(settings.directories.config / "audit.pub")
    assert ordergate_verify.main([str(out), "--pub", public]) == 0
    shown = json.loads(str(order_receipt(settings, "order-7", None)["receipt"]))
    record = shown["receipt"]["records"][0]
    record["body"] = record["body"].replace('"n":21', '"n":22')
    out.write_text(json.dumps(shown, separators=(",", ":")))
    assert ordergate_verify.main([str(out), "--pub", public]) == 1
    with pytest.raises(NotFound):
        order_receipt(settings, "nobody's", None)


def test_what_is_no_key_or_anchor_is_refused(settings: Settings) -> None:
    for public in ("zz", "11" * 31, str(settings.directories.data / "gate.db")):
        with pytest.raises(InvalidArgument):
            verify_audit(settings, public=public)
    for anchor in ("", "300", "300:abc", "x:0123456789", "300:0123456Z"):
        with pytest.raises(InvalidArgument):
            verify_audit(settings, anchors=[anchor])
    root = str(verify_audit(settings)["root"])
    assert verify_audit(settings, anchors=[f"300:{root[:8]}"])["records"] == 300
    for code, anchor in ((1, "300:00000000"), (2, f"301:{root}")):
        with pytest.raises(IllegalState) as refused:
            verify_audit(settings, anchors=[anchor])
        assert refused.value.details["exit_code"] == code


def test_without_a_key_or_the_package_it_says_what_was_not_checked(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = str(settings.directories.data / GATE_FILE)
    public = str(settings.directories.config / "audit.pub")
    assert ordergate_verify.main([database]) == 3
    assert "not checked: 3 signatures, because there is no --pub" in capsys.readouterr().out
    monkeypatch.setattr(ordergate_verify, "Ed25519PublicKey", None)
    assert ordergate_verify.main([database, "--pub", public]) == 3
    assert "`cryptography` is not installed" in capsys.readouterr().out
