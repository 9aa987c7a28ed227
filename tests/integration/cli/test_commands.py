"""What the commands ask, show and exit with, against a gateway with canned answers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ordergate import __version__
from ordergate.model.errors import InvalidArgument
from ordergate.surfaces.cli.running import DirectoryHeld, Note
from ordergate.surfaces.cli.starts import Asked, Finding, Level, Started, UpOptions
from support.cli_gateway import (
    ACT_CODE,
    STDIN,
    CannedGateway,
    ok,
    ordergate,
    refused,
    running_gateway,
)

ORDER: dict[str, Any] = {
    "order_id": "a" * 32,
    "status": "filled",
    "action": "place",
    "symbol": "EURUSD",
    "side": "buy",
    "order_type": "market",
    "quantity": "0.05",
    "filled_quantity": "0.05",
    "average_price": "1.0851",
    "limit_price": None,
    "stop_price": None,
    "stop_loss": "1.07",
    "take_profit": None,
    "venue_order_id": "O1",
    "position_id": "P1",
    "approval_id": None,
    "code": None,
    "mode": "paper",
    "message": "Filled.",
    "idempotency_key": "k1",
    "replayed": False,
    "checklist": [],
    "approval": None,
}
VERDICT = {
    "rule": "order_notional",
    "finding": "refuse",
    "value": "54828.5",
    "limit": "20000",
    "headroom": "20000",
    "unit": "USD",
    "message": "too large",
}
TICKET: dict[str, Any] = {
    "ticket_id": "t1",
    "ticket": {
        "fingerprint": "f" * 64,
        "number": 7,
        "band_low": "1.08",
        "band_high": "1.09",
        "expires_at": "2026-01-07T14:05:00Z",
    },
    "order": {
        "action": "place",
        "principal": "local-agent",
        "principal_kind": "agent",
        "intent": {
            "side": "buy",
            "quantity": "0.5",
            "symbol": "EURUSD",
            "order_type": "market",
            "stop_loss": "1.07",
            "note": "trust\x1b[2Jme",
        },
        "decision": {"verdicts": [VERDICT]},
    },
    "approve_url": "http://ordergate.localhost:8030/approve/t1",
    "price_now": "1.0851",
    "source": "simulated",
    "synthetic": True,
    "price_as_of": "2026-01-07T14:00:00Z",
    "price_age_s": "0.4",
}
DONE: dict[str, Any] = {
    "order_id": "a" * 32,
    "status": "filled",
    "code": None,
    "venue_code": None,
    "mode": "paper",
    "order": TICKET["order"],
    "attempt": {"filled_quantity": "0.5", "average_price": "1.0851"},
}


CODE = {"code": ACT_CODE}


@pytest.fixture
def gateway() -> CannedGateway:
    return CannedGateway()


@pytest.fixture
def data_dir(tmp_path: Path, gateway: CannedGateway) -> Iterator[Path]:
    with running_gateway(tmp_path / "data", gateway):
        yield tmp_path / "data"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_flags_become_arguments_and_what_is_not_given_is_not_sent(
    data_dir: Path, gateway: CannedGateway
) -> None:
    gateway.answers["place_order"] = ok(ORDER)
    words = "order place EURUSD buy 0.05 --sl 1.07 --type limit --limit 1.08 --tif day --key k1"
    assert ordergate(data_dir, *words.split()) == 0
    assert gateway.calls == [
        (
            "place_order",
            {
                "symbol": "EURUSD",
                "side": "buy",
                "quantity": "0.05",
                "order_type": "limit",
                "limit_price": "1.08",
                "stop_loss": "1.07",
                "time_in_force": "day",
                "idempotency_key": "k1",
            },
        )
    ]


def test_a_stop_is_taken_away_by_its_name_only(data_dir: Path, gateway: CannedGateway) -> None:
    gateway.answers["modify_order"] = ok(ORDER)
    ordergate(data_dir, *["order", "modify", "--position", "P1", "--sl", "none"])
    assert gateway.calls == [("modify_order", {"position_id": "P1", "stop_loss": None})]


def test_json_is_the_envelope_and_nothing_else(
    data_dir: Path, gateway: CannedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.answers["place_order"] = refused("STOP_REQUIRED", "a stop is required", fix="send one")
    code = ordergate(data_dir, *["order", "place", "EURUSD", "buy", "0.05", "--json"])
    shown = capsys.readouterr()
    assert code == 1
    assert json.loads(shown.out) == gateway.answers["place_order"]
    assert shown.err == ""


def rule(name: str, finding: str = "pass", **numbers: Any) -> dict[str, Any]:
    empty = {"value": None, "limit": None, "headroom": None, "unit": "", "message": ""}
    return {"rule": name, "finding": finding, **empty, **numbers}


JUDGED = [
    rule("numbers"),
    rule("target", "not_asked"),
    rule("order_notional", value="55000", limit="100000", headroom="100000", unit="USD"),
    rule("open_orders", value="19", limit="20", headroom="2", unit="orders"),
    rule("margin_free", value="90000", limit="50000", headroom="50000", unit="USD"),
]


def test_an_accepted_order_says_in_one_line_how_it_was_judged(
    data_dir: Path, gateway: CannedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.answers["place_order"] = ok({**ORDER, "checklist": JUDGED})
    words = ["order", "place", "EURUSD", "buy", "0.05", "--sl", "1.07"]
    assert ordergate(data_dir, *words) == 0
    shown = capsys.readouterr().out
    tightest = "open_orders: value 19, limit 20, headroom 2 orders"
    assert shown.splitlines()[-1] == f"judged by 4 rules, all passed; tightest: {tightest}"
    assert "order_notional" not in shown
    assert ordergate(data_dir, *words, "--verbose") == 0
    shown = capsys.readouterr().out
    for name in ("numbers", "order_notional", "open_orders", "margin_free"):
        assert name in shown
    assert "judged by" not in shown


def test_what_did_not_just_pass_is_said_without_verbose(
    data_dir: Path, gateway: CannedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = rule("approval", "ask", value="55000", limit="20000", message="above 20,000 USD")
    warned = rule("spread", "warn", message="wider than usual")
    waiting = {**ORDER, "status": "approval_required", "checklist": [*JUDGED, asked, warned]}
    gateway.answers["place_order"] = ok(waiting)
    assert ordergate(data_dir, "order", "place", "EURUSD", "buy", "0.5") == 4
    shown = capsys.readouterr().out
    assert "judged by 6 rules, 4 passed; tightest: open_orders" in shown
    assert "ASK approval: above 20,000 USD" in shown
    assert "warn spread: wider than usual" in shown


def test_a_check_names_the_rule_that_says_no(
    data_dir: Path, gateway: CannedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = {"verdict": "deny", "message": "too large", "code": "EXCEEDS_LOCAL_LIMIT"}
    gateway.answers["check_risk"] = ok({**judged, "checklist": [*JUDGED, VERDICT]})
    assert ordergate(data_dir, *["risk", "check", "EURUSD", "buy", "5"]) == 0
    shown = capsys.readouterr().out
    assert "judged by 5 rules, 4 passed" in shown
    assert "NO order_notional: too large" in shown
    assert ordergate(data_dir, *["risk", "check", "EURUSD", "buy", "5", "--verbose"]) == 0
    assert "Checklist" in capsys.readouterr().out


def test_the_version_needs_no_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ordergate(tmp_path, "--version") == 0
    assert capsys.readouterr().out == f"ordergate {__version__}\n"


def test_an_error_is_its_code_its_message_and_the_fix_beside_it(
    data_dir: Path, gateway: CannedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.answers["place_order"] = refused(
        "EXCEEDS_LOCAL_LIMIT", "too large", fix="send less", checklist=[VERDICT]
    )
    assert ordergate(data_dir, *["order", "place", "EURUSD", "buy", "5"]) == 1
    shown = capsys.readouterr()
    assert shown.err.splitlines()[0] == "EXCEEDS_LOCAL_LIMIT: too large  -> send less"
    assert "order_notional: value 54828.5, limit 20000, headroom 20000 USD" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        (ok({**ORDER, "status": "filled"}), 0),
        (ok({**ORDER, "status": "working"}), 0),
        (ok({**ORDER, "status": "rejected"}), 1),
        (ok({**ORDER, "status": "approval_required"}), 4),
        (ok({**ORDER, "status": "unknown"}), 5),
        (ok({**ORDER, "status": "parked"}), 5),
        (refused("KILL_SWITCH_ACTIVE"), 1),
        (refused("INVALID_ARGUMENT"), 2),
        (refused("NOT_READY"), 3),
        (refused("NEEDS_REAPPROVAL"), 4),
        (refused("ORDER_UNKNOWN"), 5),
        (refused("FORBIDDEN"), 6),
        (refused("LIVE_NOT_ARMED"), 6),
    ],
)
def test_the_exit_code_says_what_came_of_an_order(
    data_dir: Path, gateway: CannedGateway, envelope: Any, code: int
) -> None:
    gateway.answers["wait_order"] = envelope
    assert ordergate(data_dir, "order", "wait", "a" * 32, "--timeout", "5") == code
    assert gateway.calls[0][1] == {"order_id": "a" * 32, "timeout_s": 5}


def test_a_lost_answer_of_an_act_is_unknown_and_of_a_read_is_not(
    data_dir: Path, gateway: CannedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.cut = {"place_order", "get_status"}
    assert ordergate(data_dir, *["order", "place", "EURUSD", "buy", "0.05"]) == 5
    assert "ORDER_UNKNOWN" in capsys.readouterr().err
    assert ordergate(data_dir, "status") == 3


def test_without_a_gateway_the_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["status"], ["approvals", "list"], ["halt", "engage"]):
        assert ordergate(tmp_path, *words, "--json") == 3
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "NOT_READY"


def test_a_note_that_a_killed_gateway_left_is_not_believed(
    tmp_path: Path, gateway: CannedGateway
) -> None:
    with running_gateway(tmp_path, gateway):
        note = (tmp_path / "gateway.json").read_bytes()
    (tmp_path / "gateway.json").write_bytes(note)
    assert ordergate(tmp_path, "status") == 3


def test_usage_is_exit_code_2(data_dir: Path) -> None:
    assert ordergate(data_dir, "order", "place") == 2
    assert ordergate(data_dir, "nonsense") == 2
    assert ordergate(data_dir, "status", "--nonsense") == 2
    assert ordergate(data_dir, "up", "--idle-exit", "soon") == 2
    assert ordergate(data_dir, "client", "add", "emacs") == 2


def test_help_lists_the_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ordergate(tmp_path, "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "5 nobody knows yet what became of the order" in text


def test_text_of_others_cannot_steer_the_terminal(
    data_dir: Path,
    gateway: CannedGateway,
    capsys: pytest.CaptureFixture[str],
    typed: Callable[[str], None],
) -> None:
    gateway.answers["GET /operator/approvals/t1"] = ok(TICKET)
    typed(STDIN)
    assert ordergate(data_dir, "approvals", "show", "t1", "--password-stdin") == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "untrusted" in shown


def test_approve_shows_the_ticket_and_sends_the_fingerprint_it_showed(
    data_dir: Path,
    gateway: CannedGateway,
    capsys: pytest.CaptureFixture[str],
    typed: Callable[[str], None],
) -> None:
    gateway.answers["GET /operator/approvals/t1"] = ok(TICKET)
    gateway.answers["POST /operator/approvals/t1/approve"] = ok(DONE)
    typed(STDIN)
    assert ordergate(data_dir, "approvals", "approve", "t1", "--yes", "--password-stdin") == 0
    assert gateway.calls[-1] == (
        "POST /operator/approvals/t1/approve",
        {"fingerprint": "f" * 64, "code": ACT_CODE},
    )
    shown = capsys.readouterr().out
    for word in (
        "Ask 07",
        "SYNTHETIC prices from simulated, 0.4 s old",
        "buy",
        "0.5",
        "EURUSD",
        "1.08 .. 1.09",
        "54828.5",
        "filled",
    ):
        assert word in shown
    assert gateway.signed_out == 1


def test_a_code_that_was_used_up_asks_for_the_next_one(
    data_dir: Path, gateway: CannedGateway, typed: Callable[[str], None]
) -> None:
    used = refused("UNAUTHENTICATED", "this code was used already", factor="used")
    gateway.answers["POST /operator/halts/h1/release"] = used
    typed(f"{STDIN}333333\n444444\n555555\n")
    assert ordergate(data_dir, "halt", "release", "h1", "--password-stdin") == 6
    sent = [body["code"] for _, body in gateway.calls]
    assert sent == [ACT_CODE, "333333", "444444"], "three tries, then it gives up"


def test_where_the_codes_end_nothing_is_done_and_the_reason_is_told(
    data_dir: Path,
    gateway: CannedGateway,
    typed: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed(STDIN.rsplit("\n", 2)[0] + "\n")
    assert ordergate(data_dir, "halt", "release", "h1", "--password-stdin") == 6
    assert gateway.calls == []
    assert "no code to release" in capsys.readouterr().err


def test_sign_ins_are_listed_and_ended_by_the_operator(
    data_dir: Path,
    gateway: CannedGateway,
    typed: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = dict.fromkeys(("session_id", "signed_in_at", "last_seen_at", "address"), "s1")
    gateway.answers["GET /operator/sessions"] = ok([{**row, "method": "passkey", "this": True}])
    gateway.answers["DELETE /operator/sessions/s1"] = ok({})
    typed(STDIN)
    assert ordergate(data_dir, "operator", "sessions", "list", "--password-stdin") == 0
    assert "passkey" in capsys.readouterr().out
    typed(STDIN)
    assert ordergate(data_dir, "operator", "sessions", "revoke", "s1", "--password-stdin") == 0
    assert gateway.calls[-1] == ("DELETE /operator/sessions/s1", None)


def test_nothing_is_approved_where_nobody_confirms(
    data_dir: Path, gateway: CannedGateway, typed: Callable[[str], None]
) -> None:
    gateway.answers["GET /operator/approvals/t1"] = ok(TICKET)
    typed(STDIN)
    assert ordergate(data_dir, "approvals", "approve", "t1", "--password-stdin") == 2
    assert [name for name, _ in gateway.calls] == ["GET /operator/approvals/t1"]
    assert gateway.signed_out == 1


def test_a_wrong_password_is_not_permitted(
    data_dir: Path, gateway: CannedGateway, typed: Callable[[str], None]
) -> None:
    typed("guess\n111111\n")
    assert ordergate(data_dir, "approvals", "list", "--password-stdin") == 6
    assert gateway.calls == []


def test_the_password_is_never_an_argument_and_never_shown(
    data_dir: Path, gateway: CannedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ordergate(data_dir, "approvals", "list", "--json") == 2
    assert "--password-stdin" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "request_line", "body"),
    [
        ("approvals deny t1 --reason no", "POST /operator/approvals/t1/deny", {"reason": "no"}),
        (
            "halt release h1 --reason ok",
            "POST /operator/halts/h1/release",
            {"reason": "ok", **CODE},
        ),
        (
            "token create bot --kind read_only --days 3",
            "POST /operator/tokens",
            {"kind": "read_only", "name": "bot", "days": 3, **CODE},
        ),
        ("token revoke k1", "DELETE /operator/tokens/k1", None),
        (
            "order resolve x1 --not-placed --reason looked",
            "POST /operator/orders/x1/resolve",
            {"placed": False, "reason": "looked", **CODE},
        ),
        ("order parked", "GET /operator/parked", None),
        (
            "risk withdraw open_orders_max --reason looked",
            "POST /operator/limits/open_orders_max/withdraw",
            {"reason": "looked"},
        ),
        (
            "risk loosen open_orders_max --reason looked",
            "POST /operator/limits/open_orders_max/loosen",
            {"reason": "looked", **CODE},
        ),
        ("replay pause", "POST /operator/feed", {"paused": True}),
        ("replay resume", "POST /operator/feed", {"paused": False}),
        ("replay speed 60", "POST /operator/feed", {"speed": "60"}),
    ],
)
def test_an_operators_command_is_one_request(
    data_dir: Path,
    gateway: CannedGateway,
    typed: Callable[[str], None],
    words: str,
    request_line: str,
    body: Any,
) -> None:
    typed(STDIN)
    ordergate(data_dir, *words.split(), "--password-stdin", "--json")
    assert gateway.calls == [(request_line, body)]


def test_settling_an_order_as_not_placed_is_done_and_no_failure(
    data_dir: Path, gateway: CannedGateway, typed: Callable[[str], None]
) -> None:
    gateway.answers["POST /operator/orders/x1/resolve"] = ok({**DONE, "status": "not_sent"})
    typed(STDIN)
    words = "order resolve x1 --not-placed --reason looked --password-stdin"
    assert ordergate(data_dir, *words.split()) == 0


def test_a_tightening_shows_the_limit_it_changed(
    data_dir: Path, gateway: CannedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"value": "5", "unit": "orders", "source": "profile", "agents_may_tighten": True}
    names = ("limits.open_orders_max", "limits.open_positions_max")
    gateway.answers["tighten_limit"] = ok({"limits": [{"name": name, **row} for name in names]})
    assert ordergate(data_dir, *["risk", "tighten", "open_orders_max", "5"]) == 0
    shown = capsys.readouterr().out
    assert "limits.open_orders_max" in shown
    assert "limits.open_positions_max" not in shown


def test_the_only_halt_is_released_without_naming_it_and_two_are_not(
    data_dir: Path, gateway: CannedGateway, typed: Callable[[str], None]
) -> None:
    halt = {"halt_id": "h1", "kind": "kill", "scope": "global", "target": ""}
    gateway.answers["POST /operator/halts/h1/release"] = ok({**halt, "released_at": "now"})
    gateway.answers["GET /operator/halts"] = ok([halt, {**halt, "halt_id": "h2"}])
    typed(STDIN)
    assert ordergate(data_dir, "halt", "release", "--password-stdin") == 2
    gateway.answers["GET /operator/halts"] = ok([halt])
    typed(STDIN)
    assert ordergate(data_dir, "halt", "release", "--password-stdin") == 0


def test_what_was_taken_back_shows_the_number_that_counts_again(
    data_dir: Path,
    gateway: CannedGateway,
    typed: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = {"value": "20", "unit": "orders", "source": "file", "agents_may_tighten": True}
    limits = [{"name": name, **row} for name in ("limits.open_orders_max", "limits.other")]
    waits = {
        "limit_name": "limits.open_orders_max",
        "source": "tightenings",
        "old": "1",
        "new": "20",
        "effective_at": "2026-01-07T14:10",
        "by": "operator:o",
    }
    called_off = {**waits, "new": "77", "withdrawn": True}
    answer = ok({"limits": limits, "loosenings": [waits, called_off]})
    gateway.answers["POST /operator/limits/open_orders_max/loosen"] = answer
    typed(STDIN)
    words = "risk loosen open_orders_max --reason looked --password-stdin"
    assert ordergate(data_dir, *words.split()) == 0
    shown = capsys.readouterr().out
    assert "limits.open_orders_max" in shown
    assert "limits.other" not in shown
    for words in ("not in force", "tightenings", "2026-01-07T14:10"):
        assert words in shown
    assert "77" not in shown


def test_parked_orders_are_listed_with_the_tag_to_look_for(
    data_dir: Path,
    gateway: CannedGateway,
    typed: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    attempt = {"claimed_at": "2026-01-07T14:00", "updated_at": "2026-01-07T14:01", "tag": "OGtag"}
    gateway.answers["GET /operator/parked"] = ok([{**DONE, "attempt": attempt}])
    typed(STDIN)
    assert ordergate(data_dir, "order", "parked", "--password-stdin") == 0
    shown = capsys.readouterr().out
    for words in ("a" * 32, "buy 0.5 EURUSD", "OGtag"):
        assert words in shown


def test_a_draft_is_shown_before_it_is_submitted(
    data_dir: Path, gateway: CannedGateway, typed: Callable[[str], None]
) -> None:
    priced = {name: TICKET[name] for name in TICKET if name.startswith(("price", "s"))}
    draft = {**DONE, **priced, "order_id": "d1", "status": "draft"}
    gateway.answers["GET /operator/drafts"] = ok([draft])
    gateway.answers["POST /operator/drafts/d1/submit"] = ok({**DONE, "status": "approval_required"})
    typed(STDIN)
    assert ordergate(data_dir, "order", "submit-draft", "d1", "--yes", "--password-stdin") == 4
    typed(STDIN)
    assert ordergate(data_dir, "order", "submit-draft", "d2", "--yes", "--password-stdin") == 1


def test_the_audit_is_exported_line_by_line_into_a_private_file(
    data_dir: Path, gateway: CannedGateway, typed: Callable[[str], None], tmp_path: Path
) -> None:
    gateway.answers["POST /operator/audit/export"] = '{"seq":1}\n{"seq":2}\n'
    typed(STDIN)
    out = tmp_path / "audit.jsonl"
    assert ordergate(data_dir, "audit", "export", "--out", str(out), "--password-stdin") == 0
    assert out.read_text() == '{"seq":1}\n{"seq":2}\n'
    assert out.stat().st_mode & 0o077 == 0


def test_bars_come_with_a_sparkline_and_their_source(
    data_dir: Path, gateway: CannedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    closes = ["1.1", "1.2", "1.3"]
    gateway.answers["get_bars"] = ok(
        {
            "symbol": "EURUSD",
            "timeframe": "H1",
            "time": ["1", "2", "3"],
            **dict.fromkeys(("open", "high", "low", "close"), closes),
            "volume": [None] * 3,
            "source": "simulated",
            "synthetic": True,
            "age_s": "0.1",
            "last_complete": False,
        }
    )
    assert ordergate(data_dir, *["bars", "EURUSD", "--timeframe", "H1", "--limit", "3"]) == 0
    shown = capsys.readouterr().out
    assert "▁▄█" in shown
    assert "SYNTHETIC prices from simulated, 0.1 s old" in shown
    assert "still running" in shown


def test_a_second_up_says_who_holds_the_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = Note(pid=4711, started_at="2026-01-07", paper_only=True, rest_url="http://x:1")

    def up(_: UpOptions, __: object) -> int:
        raise DirectoryHeld(holder)

    assert ordergate(tmp_path, "up", up=up) == 1
    assert "pid 4711" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("rotate-key",), ("set-aside", "--reason", "the disk")])
def test_what_needs_the_directory_alone_says_who_holds_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    holder = Note(pid=4711, started_at="2026-01-07", paper_only=True)

    def held(*_: object) -> Any:
        raise DirectoryHeld(holder)

    assert ordergate(tmp_path, "audit", *words, rotate_key=held, set_aside=held) == 1
    said = capsys.readouterr().err
    assert "process 4711" in said
    assert "stop it" in said


def started(**changes: Any) -> Started:
    urls = {"rest_url": "http://r:1", "mcp_url": "http://m:2", "console_url": "http://c:3"}
    said: dict[str, Any] = {
        "source": "simulated",
        "synthetic": True,
        "replay_speed": None,
        "operator_exists": False,
    }
    note = Note(pid=1, started_at="now", paper_only=True, **urls)
    return Started(note=note, **{**said, **changes})


@pytest.mark.parametrize(
    ("changes", "prices"),
    [
        ({}, "prices   simulated, SYNTHETIC"),
        (
            {"source": "replay:ticks.csv", "synthetic": False, "replay_speed": "60"},
            "prices   replay:ticks.csv, speed 60",
        ),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_up_says_which_prices_it_lives_on_and_asks_for_an_operator_once(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    prices: str,
    known: bool,
) -> None:
    def up(_: UpOptions, announce: Callable[[Started], None]) -> int:
        announce(started(operator_exists=known, **changes))
        return 0

    assert ordergate(tmp_path, "up", up=up) == 0
    shown = capsys.readouterr().out
    assert prices in shown
    assert ("operator init" in shown) is not known


def test_up_passes_on_what_it_was_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ticks = tmp_path / "ticks.csv"
    ticks.touch()
    heard: list[UpOptions] = []

    def up(options: UpOptions, announce: Callable[[Started], None]) -> int:
        heard.append(options)
        announce(started())
        return 0

    where = {"ORDERGATE_DATA_DIR": "elsewhere"}
    words = "up --paper-only --idle-exit 15m --takeover --speed 10 --seed 3 --json --replay"
    arguments = [*words.split(), str(ticks)]
    assert ordergate(tmp_path, *arguments, up=up, client_environment=lambda: where) == 0
    assert heard == [
        UpOptions(
            paper_only=True, idle_exit_s=900, takeover=True, replay=(ticks,), speed="10", seed=3
        )
    ]
    said = json.loads(capsys.readouterr().out)["data"]
    assert (said["rest"], said["mcp"]) == ("http://r:1/api/v1", "http://m:2/mcp")
    client = json.loads(said["client"])["mcpServers"]["ordergate"]
    assert client["env"] == where, "a client that is started elsewhere finds this gateway"


def test_refused_settings_have_an_exit_code_of_their_own(tmp_path: Path) -> None:
    def bad() -> list[dict[str, str]]:
        raise InvalidArgument("unknown key")

    assert ordergate(tmp_path, "config", "check", settings=bad) == 7
    assert ordergate(tmp_path, "config", "check") == 0


def test_doctor_fails_when_a_finding_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    warned = [Finding(Level.PASS, "one", "good"), Finding(Level.WARN, "two", "hm", "do this")]
    assert ordergate(tmp_path, "doctor", doctor=lambda: warned) == 0
    assert "[WARN] two: hm\n       -> do this" in capsys.readouterr().out
    failed = [*warned, Finding(Level.FAIL, "three", "bad", "do that")]
    assert ordergate(tmp_path, "doctor", doctor=lambda: failed) == 1


def test_the_operators_secret_is_printed_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def init(name: str) -> dict[str, Any]:
        uri = "otpauth://totp/ordergate:ann?secret=ABCDEFGH&issuer=ordergate"
        codes = [f"CODE-{n}" for n in range(10)]
        return {"name": name, "password": f"pw-{name}", "otpauth": uri, "recovery_codes": codes}

    assert ordergate(tmp_path, "operator", "init", "ann", init_operator=init) == 0
    shown = capsys.readouterr().out
    assert shown.count("pw-ann") == 1
    assert "otpauth://totp/ordergate:ann?secret=ABCDEFGH" in shown
    assert all(f"CODE-{n}" in shown for n in range(10))
    assert "█" in shown or "▀" in shown, "the QR code, in the terminal"


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ({"exit_code": 1, "verdict": "tampered", "seq": 7}, 1),
        ({"exit_code": 2, "verdict": "cut", "seq": 9}, 2),
        ({"exit_code": 3, "verdict": "unverifiable", "seq": None}, 3),
        ({}, 3),
    ],
)
def test_verifying_exits_with_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], details: dict[str, Any], code: int
) -> None:
    asked: list[Asked] = []

    def verify(what: Asked) -> dict[str, Any]:
        asked.append(what)
        raise InvalidArgument("not whole", details=details)

    export = tmp_path / "record.jsonl"
    words = ["audit", "verify", str(export), "--pub", "ab", "--anchor", "1:aa", "--json"]
    assert ordergate(tmp_path, *words, verify_audit=verify) == code
    assert json.loads(capsys.readouterr().out)["error"]["details"] == details
    assert ordergate(tmp_path, "audit", "verify", verify_audit=lambda _: {"records": 3}) == 0
    assert asked == [Asked(files=(export,), public="ab", anchors=("1:aa",))]


def test_advice_names_commands_instead_of_tools(
    data_dir: Path, gateway: CannedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.answers["get_order"] = refused("RESOURCE_NOT_FOUND", fix="list_orders shows yours")
    ordergate(data_dir, "order", "show", "x1")
    assert "-> `ordergate orders` shows yours" in capsys.readouterr().err
    gateway.answers["get_order"] = ok({**ORDER, "message": "On its way. Call wait_order."})
    ordergate(data_dir, "order", "show", "x1")
    assert "Call `ordergate order wait`." in capsys.readouterr().out
