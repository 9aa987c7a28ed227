"""The phone's name: followed through real TLS to the very gateway, or said where it goes wrong."""

from __future__ import annotations

import dataclasses
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from ordergate.adapters.keys import verifier
from ordergate.adapters.tls_name import Look, NameFails, Reached, only_here, reach
from ordergate.bootstrap.phone import phone
from ordergate.settings.load import load
from ordergate.surfaces.cli.starts import Level
from support.fake_channels import services
from support.gateway_process import ROOMY, GatewayProcess, gateway
from support.tls_front import authority, tls_front

pytestmark = pytest.mark.slow

NAME = "gate.example.test"


def free_port() -> int:
    """Return a port to publish the name under: it stands in the settings before anyone listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def named(port: int) -> str:
    return f"https://{NAME}:{port}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    root = tmp_path_factory.mktemp("gate")
    one = GatewayProcess(root, ROOMY)
    one.settle_in()
    one.make_operator()
    try:
        yield one.start()
    finally:
        one.close()


def publish(running: GatewayProcess, port: int) -> None:
    """Name the port in the settings and start again: the listener answers to this name alone."""
    running.stop()
    running.settle_in({**ROOMY, "console": {"public_url": named(port)}})
    running.start()


def look(running: GatewayProcess, trusted: Path) -> Look:
    public = (running.config / "audit.pub").read_text("ascii").strip()
    context = ssl.create_default_context(cafile=str(trusted))
    return Look(
        now=datetime.now(UTC),
        nonce="0123456789abcdef" * 2,
        verify=verifier(public),
        resolve=lambda name, port: ["127.0.0.1"],
        context=context,
    )


def listener(running: GatewayProcess) -> tuple[str, int]:
    return "127.0.0.1", urlsplit(running.console).port or 0


def test_a_good_name_leads_to_this_gateway_and_signs_in_there(
    tmp_path: Path, running: GatewayProcess
) -> None:
    trusted, served = authority(tmp_path, name=NAME)
    port = free_port()
    publish(running, port)
    with tls_front(served, listener(running), port=port):
        found = reach(named(port), look(running, trusted))
        assert isinstance(found, Reached)
        assert only_here(found.addresses)
        asked = running.good("place_order", **running.order("0.5"))
        assert asked["approve_url"].startswith(f"{named(port)}/approve/")
        signed = _post(port, trusted, "/operator/sign-in", origin=named(port), running=running)
        assert signed.status_code == 200, signed.text
        foreign = _post(
            port, trusted, "/operator/sign-in", origin=f"http://{NAME}:{port}", running=running
        )
        assert foreign.status_code == 403  # only the TLS origin, exactly


def _post(
    port: int, trusted: Path, path: str, *, origin: str, running: GatewayProcess
) -> httpx.Response:
    context = ssl.create_default_context(cafile=str(trusted))
    with httpx.Client(verify=context, trust_env=False) as client:
        return client.post(
            f"https://127.0.0.1:{port}{path}",
            json={"name": "operator", "password": running.password, "code": running.codes.pop()},
            headers={"Host": f"{NAME}:{port}", "Origin": origin},
            extensions={"sni_hostname": NAME},
        )


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ("other name", "certificate"),
        ("untrusted", "certificate"),
        ("ends soon", "certificate"),
        ("over", "certificate"),
        ("nobody", "TLS"),
        ("no name", "name"),
        ("host rewritten", "page"),
        ("another gateway", "page"),
        ("another site", "page"),
    ],
)
def test_each_fault_is_named_with_its_step(
    tmp_path: Path, running: GatewayProcess, fault: str, step: str
) -> None:
    days = {"ends soon": 6.9, "over": -1}.get(fault, 90)
    name = "other.example.test" if fault == "other name" else NAME
    trusted, served = authority(tmp_path, name=name, days=days)
    eyes = look(running, trusted)
    if fault == "untrusted":
        eyes = _with(eyes, context=ssl.create_default_context())
    if fault == "no name":
        eyes = _with(eyes, resolve=_nowhere)
    if fault == "another gateway":
        eyes = _with(eyes, verify=verifier("11" * 32))
    place = listener(running)
    with services() as elsewhere:
        if fault == "another site":
            place = ("127.0.0.1", elsewhere.port)
        host = urlsplit(running.console).netloc if fault == "host rewritten" else None
        port = free_port()
        if fault == "another gateway":
            publish(running, port)
            place = listener(running)
        with tls_front(served, place, host=host, port=port), pytest.raises(NameFails) as failed:
            reach(named(1 if fault == "nobody" else port), eyes)
    assert failed.value.step == step, failed.value.message
    assert failed.value.fix


def _with(eyes: Look, **changes: object) -> Look:
    return dataclasses.replace(eyes, **changes)  # type: ignore[arg-type]  # its own fields


def _nowhere(name: str, port: int) -> list[str]:
    raise OSError(name)


def test_the_command_explains_then_checks_then_sends_a_link(tmp_path: Path) -> None:
    with gateway(tmp_path / "plain", ROOMY) as running:
        told = running.command("phone", "setup")
        assert told.returncode == 1
        for words in ("tailscale serve", "cloudflared", "caddy", "public_url"):
            assert words in told.stdout


def test_when_the_name_holds_a_link_to_it_is_sent(
    tmp_path: Path, running: GatewayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, served = authority(tmp_path, name=NAME)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with services() as there:
        path = running.config / "notify.urls"
        path.write_text(f"ntfy://127.0.0.1:{there.port}/topic\n")
        path.chmod(0o600)
        port = free_port()
        running.stop()
        published = {"console": {"public_url": named(port)}, "notify": {"allow_loopback": True}}
        running.settle_in({**ROOMY, **published})
        running.start()
        settings = load(running.environment)
        with tls_front(served, listener(running), port=port):
            url, found = phone(settings, send=True, resolve=lambda name, port: ["127.0.0.1"])
        assert url == named(port)
        assert [(line.level, line.name) for line in found] == [
            (Level.WARN, "name"),  # it holds; that it leads to this machine alone is said
            (Level.PASS, "channel"),
        ]
        there.wait_for(f"{named(port)}/sign-in", within_s=5)
        _, found = phone(settings, send=True, resolve=_nowhere)
        assert [line.level for line in found] == [Level.FAIL]
        links = [one for one in there.taken if "/sign-in" in one.words]
        assert len(links) == 1  # no link to a name that does not hold; the gateway tells its asks
        path.unlink()
