"""`ordergate arm` and `disarm`: the link to the page, how it stands, and the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli_gateway import STDIN, CannedGateway, ok, ordergate, running_gateway

STANDING = {
    "account": "live-1",
    "venue": "paper",
    "mode": "live",
    "proof": "the venue's word",
    "switched_on": True,
    "because": "",
    "armed": True,
    "arming": {"until": "2026-01-07T15:00:00Z", "by": "operator:ann"},
}


@pytest.fixture
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(STDIN))


def test_arming_leads_to_the_page_where_a_passkey_signs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_gateway(tmp_path, CannedGateway()):
        assert ordergate(tmp_path, "arm", "--json") == 0
    page = json.loads(capsys.readouterr().out)["data"]["page"]
    assert page.startswith("http://ordergate.localhost:")
    assert page.endswith("/arming")


def test_without_a_gateway_there_is_nothing_to_arm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ordergate(tmp_path, "arm") == 3


@pytest.mark.usefixtures("_password")
def test_status_says_what_is_armed_until_when(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = CannedGateway({"GET /operator/arming": ok(STANDING)})
    with running_gateway(tmp_path, gateway):
        assert ordergate(tmp_path, "arm", "status", "--password-stdin") == 0
    shown = capsys.readouterr().out
    for words in ("LIVE account live-1", "until 2026-01-07T15:00:00Z by operator:ann"):
        assert words in shown


@pytest.mark.usefixtures("_password")
def test_disarming_names_the_account_that_is_armed(tmp_path: Path) -> None:
    gateway = CannedGateway(
        {
            "GET /operator/arming": ok(STANDING),
            "POST /operator/arming/disarm": ok(STANDING["arming"]),
        }
    )
    with running_gateway(tmp_path, gateway):
        words = ("disarm", "--reason", "done", "--password-stdin")
        assert ordergate(tmp_path, *words) == 0
    told = [body for path, body in gateway.calls if path.endswith("/arming/disarm")]
    assert told == [{"account": "live-1", "reason": "done"}]
