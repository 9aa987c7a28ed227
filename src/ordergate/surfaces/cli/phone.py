"""Command `phone setup`: a name with TLS that the phone reaches, checked up to the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.model.errors import GateError
from ordergate.surfaces.cli.doors import success
from ordergate.surfaces.cli.exits import Exit
from ordergate.surfaces.cli.screen import Json, plain, show
from ordergate.surfaces.cli.session import envelope_of, session
from ordergate.surfaces.cli.starts import Finding, Level

phone_app = typer.Typer(no_args_is_help=True, help="Approve from your phone.")

NAMES: Final = """\
The phone needs a name with TLS that leads to the console on this machine. Any of these gives one:
  tailscale serve --bg 8030              your own network only; the best choice
  caddy reverse-proxy --from gate.example.org --to 127.0.0.1:8030
  cloudflared tunnel --url http://127.0.0.1:8030 --hostname gate.example.org
The proxy must hand on the Host header as the phone sent it. Then put the name into ordergate.toml
    [console]
    public_url = "https://gate.example.ts.net"
start the gateway again, and run `ordergate phone setup` once more."""

ENROL: Final = """\
Now on the phone: open {url}/sign-in, sign in, and enrol the phone's passkey there. A passkey holds
for the one name it was made under: one made at ordergate.localhost is not offered at this one."""


def register(app: typer.Typer) -> None:
    app.add_typer(phone_app, name="phone")


@phone_app.command()
def setup(
    context: typer.Context,
    send: Annotated[
        bool, typer.Option(help="Send a link to open on the phone, through every channel.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Explain how the phone reaches the console, and check that it does."""
    try:
        url, found = session(context).starts.phone(send)
    except GateError as error:
        show(envelope_of(error), as_json=as_json, draw=lambda _: ())
        return
    failed = url is None or any(line.level is Level.FAIL for line in found)
    rows = [
        {"level": line.level.value, "name": line.name, "message": line.message, "next": line.action}
        for line in found
    ]

    def draw(_: object) -> Iterable[RenderableType]:
        if url is None:
            yield Text(NAMES)
        yield from map(_finding, found)
        if url is not None and not failed:
            yield Text(ENROL.format(url=url))

    show(
        success({"url": url, "checks": rows}),
        as_json=as_json,
        draw=draw,
        exit_code=lambda _: Exit.REFUSED if failed else Exit.OK,
    )


def _finding(line: Finding) -> Text:
    action = f"\n       -> {plain(line.action)}" if line.action else ""
    return Text(f"[{line.level}] {line.name}: {plain(line.message)}{action}")
