"""Settings: who wins, what is refused, and limits that follow their file."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from ordergate.adapters.config_files import SettingsRefused
from ordergate.settings.limit_file import LimitsUnreadable
from ordergate.settings.load import Settings, load
from ordergate.settings.sections import ToolsetName
from ordergate.settings.switches import ALIASES
from ordergate.settings.template import template, write_first
from ordergate.surfaces.catalogue.operation import Toolset


class Home:
    """A config and a data directory of their own."""

    def __init__(self, root: Path) -> None:
        self.config, self.data = root / "config", root / "data"
        self.config.mkdir(mode=0o700)
        self.environ = {
            "ORDERGATE_CONFIG_DIR": str(self.config),
            "ORDERGATE_DATA_DIR": str(self.data),
            "PATH": "/bin",
        }

    def toml(self, text: str) -> None:
        self._write("ordergate.toml", text)

    def env(self, text: str) -> None:
        self._write(".env", text)

    def load(self, *, flags: dict[str, object] | None = None, **environ: str) -> Settings:
        return load({**self.environ, **environ}, flags=flags)

    def refusal(self, **environ: str) -> str:
        with pytest.raises(SettingsRefused) as refused:
            self.load(**environ)
        return str(refused.value)

    def _write(self, name: str, text: str) -> None:
        draft = self.config / f"{name}.draft"
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(self.config / name)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_without_files_every_value_is_its_default(home: Home) -> None:
    settings = home.load()
    assert (settings.server.rest_port, settings.server.mcp_port) == (8010, 8020)
    assert settings.server.console_port == 8030
    assert settings.feed.kind == "simulated"
    assert settings.paper.balance == Decimal(100_000)
    assert settings.run.kill_at_start is False
    assert settings.limits.current().daily_loss_fraction == Decimal("0.02")


def test_each_layer_wins_over_the_one_below_and_is_remembered(home: Home) -> None:
    home.toml("[feed]\nseed = 2\n[server]\nrest_port = 1\nmcp_port = 2\nconsole_port = 3\n")
    home.env(
        "ORDERGATE_SERVER__MCP_PORT=22\nexport ORDERGATE_SERVER__CONSOLE_PORT='33'\n"
        "# a remark\n\nORDERGATE_FEED__SEED=3\n"
    )
    settings = home.load(
        flags={"feed.seed": 5, "feed.kind": None},
        ORDERGATE_SERVER__CONSOLE_PORT="333",
        ORDERGATE_FEED__SEED="4",
    )
    assert settings.server.rest_port == 1
    assert settings.server.mcp_port == 22
    assert settings.server.console_port == 333
    assert settings.feed.seed == 5
    sources = {row.key: row.source for row in settings.rows()}
    assert sources["server.rest_port"] == "ordergate.toml"
    assert sources["server.mcp_port"] == ".env"
    assert sources["server.console_port"] == "environment"
    assert sources["feed.seed"] == "flag"
    assert sources["feed.kind"] == "default"
    assert sources["config_dir"] == "environment"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[server]\nrest_prt = 1\n", "did you mean server.rest_port?"),
        ("[sever]\nrest_port = 1\n", "did you mean server.rest_port?"),
        ("[limits]\ndaily_loss_fractoin = 0.01\n", "did you mean limits.daily_loss_fraction?"),
        ("server = 3\n", "unknown key 'server'"),
        ("[run]\npaper_only = true\n", "unknown key 'run.paper_only'"),
        ("token = 'x'\n", "unknown key 'token'"),
    ],
)
def test_an_unknown_key_of_the_file_stops_the_start(home: Home, toml: str, said: str) -> None:
    home.toml(toml)
    assert said in home.refusal()


def test_an_unknown_variable_stops_the_start(home: Home) -> None:
    said = home.refusal(ORDERGATE_SERVER_REST_PORT="1")
    assert "did you mean ORDERGATE_SERVER__REST_PORT?" in said
    home.env("KILL_SWITCH_ACTVE=true\n")
    assert "did you mean KILL_SWITCH_ACTIVE?" in home.refusal()


def test_other_programs_variables_are_none_of_our_business(home: Home) -> None:
    assert home.load(LANG="C", MAX_RISK="9").feed.kind == "simulated"


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1\nORDERGATE_X=1", "a\x00b", "a\x1b[0m", "a\u202eb", "a\u200bb", "a\u2028b", "\ud800"],
)
def test_control_and_invisible_characters_are_refused_everywhere(home: Home, text: str) -> None:
    assert "invisible" in home.refusal(ORDERGATE_SERVER__HOST=text)
    if text.isprintable() or "\u202e" in text or "\u200b" in text:
        home.env(f"ORDERGATE_SERVER__HOST={text}\n")
        assert "invisible" in home.refusal()


def test_toml_escapes_smuggle_nothing_in(home: Home) -> None:
    home.toml('[server]\nhost = "127.0.0.1\\nMCP_DATA_ONLY_MODE=false"\n')
    assert "invisible" in home.refusal()
    home.toml('[limits]\nsymbols_allow = ["EUR\\u202eUSD"]\n')
    assert "invisible" in home.refusal()


@pytest.mark.parametrize(
    "line", ["NONSENSE", "=1", 'KILL_SWITCH_ACTIVE="true', "KILL_SWITCH_ACTIVE='tr'ue"]
)
def test_a_line_that_is_no_assignment_is_refused(home: Home, line: str) -> None:
    home.env(line + "\n")
    assert "line 1" in home.refusal()


def test_a_variable_given_twice_is_refused(home: Home) -> None:
    home.env("KILL_SWITCH_ACTIVE=true\nKILL_SWITCH_ACTIVE=false\n")
    assert "line 2" in home.refusal()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")
@pytest.mark.parametrize("name", [".env", "ordergate.toml"])
def test_a_file_that_others_may_read_is_refused(home: Home, name: str) -> None:
    file = home.config / name
    file.write_text("")
    file.chmod(0o644)
    with pytest.raises(SettingsRefused) as refused:
        home.load()
    assert refused.value.fix == f"chmod 600 {file}"


def test_a_relative_directory_is_refused(home: Home) -> None:
    assert "absolute" in home.refusal(ORDERGATE_DATA_DIR="here")
    assert "absolute" in home.refusal(ORDERGATE_CONFIG_DIR=".")


def test_nothing_is_read_from_the_working_directory(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "ordergate.toml").write_text("[server]\nrest_port = 1\n")
    (elsewhere / ".env").write_text("MCP_DATA_ONLY_MODE=true\n")
    monkeypatch.chdir(elsewhere)
    settings = home.load()
    assert settings.server.rest_port == 8010
    assert settings.mcp.data_only is False


def both(**more: str) -> dict[str, str]:
    return {"TRADING_MODE": "live", "ALLOW_LIVE_TRADING": "true", **more}


def as_file(variables: dict[str, str]) -> str:
    return "".join(f"{name}={text}\n" for name, text in variables.items())


def test_live_is_off_until_both_switches_are_on(home: Home) -> None:
    assert not home.load().switches.on
    for name, text in both().items():
        alone = home.load(**{name: text})
        assert not alone.switches.on
        assert "is not set" in alone.switches.because
        assert alone.half_on
    assert home.load(**both()).switches.on


@pytest.mark.parametrize("place", [".env", "both", "environment"])
def test_the_switches_count_from_the_file_and_from_the_environment(home: Home, place: str) -> None:
    file, environ = both(), both()
    if place == "both":
        del file["TRADING_MODE"], environ["ALLOW_LIVE_TRADING"]
    if place != "environment":
        home.env(as_file(file))
    settings = home.load(**({} if place == ".env" else environ))
    assert settings.switches.on
    assert not settings.half_on


@pytest.mark.parametrize("off", [{"TRADING_MODE": "paper"}, {"ALLOW_LIVE_TRADING": "false"}])
@pytest.mark.parametrize("place", [".env", "environment"])
def test_off_anywhere_is_off(home: Home, off: dict[str, str], place: str) -> None:
    home.env(as_file(both(**(off if place == ".env" else {}))))
    settings = home.load(**both(**(off if place == "environment" else {})))
    assert not settings.switches.on
    assert settings.half_on


@pytest.mark.parametrize("name", ALIASES)
def test_an_alias_disarms_and_never_arms(home: Home, name: str) -> None:
    assert not home.load(**{name: "true"}).switches.on
    assert home.load(**both(**{name: "true"})).switches.on
    for text in ("false", "0", "1", "yes", "", "tru"):
        settings = home.load(**both(**{name: text}))
        assert not settings.switches.on
        assert name in settings.switches.because
    home.env(f"{name}=false\n")
    assert not home.load(**both(**{name: "true"})).switches.on


@pytest.mark.parametrize("name", ["TRADING_MODE", "ALLOW_LIVE_TRADING"])
@pytest.mark.parametrize("text", ["yes", "1", "", "live true", "paper;live", "\uff4c\uff49ve"])
def test_a_switch_that_says_neither_word_stops_the_start(home: Home, name: str, text: str) -> None:
    assert f"{name} is neither" in home.refusal(**both(**{name: text}))


def test_a_paper_only_gateway_is_never_switched_to_live(home: Home) -> None:
    home.env(as_file(both()))
    settings = home.load(flags={"run.paper_only": True}, **both())
    assert not settings.switches.on
    assert "paper-only" in settings.switches.because


@pytest.mark.parametrize("name", ["TRADING_MODE", "ALLOW_LIVE_TRADING", *ALIASES])
def test_ordergate_toml_cannot_say_live(home: Home, name: str) -> None:
    home.toml(f'{name} = "live"\n')
    assert "unknown key" in home.refusal()
    home.toml(f'[live]\n{name} = "true"\n')
    assert "unknown key" in home.refusal()


def test_paper_may_be_said_aloud(home: Home) -> None:
    settings = home.load(TRADING_MODE="paper", ALLOW_LIVE_TRADING="false")
    assert not settings.switches.on
    assert not settings.half_on


def test_the_kill_switch_can_be_turned_on_but_never_off(home: Home) -> None:
    assert home.load(KILL_SWITCH_ACTIVE="true").run.kill_at_start is True
    home.env("KILL_SWITCH_ACTIVE=true\n")
    assert home.load(KILL_SWITCH_ACTIVE="false").run.kill_at_start is True
    assert "neither true nor false" in home.refusal(KILL_SWITCH_ACTIVE="maybe")


def test_data_only_once_said_stays(home: Home) -> None:
    home.toml("[mcp]\ndata_only = true\n")
    assert home.load(MCP_DATA_ONLY_MODE="false").mcp.data_only is True
    both = {"MCP_DATA_ONLY_MODE": "true", "ORDERGATE_MCP__DATA_ONLY": "false"}
    assert home.load(**both).mcp.data_only is True


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('[server]\nhost = "0.0.0.0"\n', "loopback"),
        ("[server]\nrest_port = 70000\n", "server.rest_port (ordergate.toml)"),
        ('[feed]\nkind = "replay"\n', "needs feed.replay.files"),
        ('[feed.replay]\nfiles = ["ticks.csv"]\n', "absolute"),
        ('[feed]\nstart = "2026-01-07T14:00:00"\n', "feed.start"),
        ("[paper]\nbalance = nan\n", "paper.balance"),
        ("not toml", "no TOML"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_key(home: Home, toml: str, said: str) -> None:
    home.toml(toml)
    assert said in home.refusal()


def test_lists_and_switches_can_come_from_variables(home: Home, tmp_path: Path) -> None:
    settings = home.load(
        ORDERGATE_FEED__KIND="replay",
        ORDERGATE_FEED__REPLAY__FILES=f"{tmp_path}/a.csv,{tmp_path}/b.csv",
        ORDERGATE_LIMITS__STOP_REQUIRED="false",
        ORDERGATE_LIMITS__SYMBOLS_DENY='["XAUUSD"]',
        ORDERGATE_PAPER__FAULTS='[{"kind": "lost_reply", "count": 2, "delay_s": "0.5"}]',
    )
    assert [file.name for file in settings.feed.replay.files] == ["a.csv", "b.csv"]
    assert settings.limits.current().stop_required is False
    assert settings.limits.current().symbols_deny == ("XAUUSD",)
    assert settings.paper.faults[0].delay_s == Decimal("0.5")
    assert "JSON" in home.refusal(ORDERGATE_PAPER__FAULTS="[{")


def test_secrets_are_never_shown(home: Home) -> None:
    settings = home.load(ORDERGATE_TOKEN="og_ag_12345678_secret")
    shown = {row.key: row.value for row in settings.rows()}
    assert shown["token"] == "***"
    assert "12345678" not in repr(settings)
    assert settings.token is not None
    assert settings.token.get_secret_value() == "og_ag_12345678_secret"


def test_the_first_file_is_private_commented_and_valid_when_uncommented(home: Home) -> None:
    where = home.load().directories
    assert write_first(where) is True
    assert write_first(where) is False
    if os.name == "posix":
        assert where.toml.stat().st_mode & 0o777 == 0o600
    lines = where.toml.read_text().splitlines()
    assert all(line.startswith(("#", "[")) for line in lines if line)
    before = {row.key: row.value for row in home.load().rows()}
    home.toml(re.sub(r"(?m)^# (\w+ = )", r"\1", template()))
    after = home.load()
    assert {row.source for row in after.rows() if row.key.startswith("limits.")} == {
        "ordergate.toml"
    }
    examples = (
        "console.public_url",
        "feed.replay.start",
        "feed.ccxt.url",
        "feed.start",
        "journal.anchor_path",
        "journal.emergency_path",
        "journal.segments_path",
        "mcp.toolsets",
        "mt5.broker_utc_offset_minutes",
        "mt5.login",
        "mt5.path",
        "mt5.server",
        "news.calendar_path",
        "news.calendar_url",
        "news.rss",
        "research.cluster",
        "notify.heartbeat_url",
        "notify.quiet_hours",
        "notify.unanswered_s",
        "server.tls_cert",
        "server.tls_key",
    )
    for row in after.rows():
        assert row.value == before[row.key] or row.key in examples


def test_a_changed_limit_counts_at_the_next_look(home: Home) -> None:
    home.toml("[limits]\ndaily_loss_fraction = 0.02\n")
    limits = home.load().limits
    assert limits.current().daily_loss_fraction == Decimal("0.02")
    home.toml("[limits]\ndaily_loss_fraction = 0.01\n")
    assert limits.current().daily_loss_fraction == Decimal("0.01")


def test_an_unchanged_file_is_not_read_again(home: Home) -> None:
    home.toml("[limits]\ndaily_loss_fraction = 0.01\n")
    limits = home.load().limits
    assert limits.current() is limits.current()


@pytest.mark.parametrize("edit", ["[limits]\ndaily_loss_fractoin = 1\n", "[limits", None])
def test_a_broken_edit_closes_openings_until_it_is_mended(home: Home, edit: str | None) -> None:
    home.toml("[limits]\ndaily_loss_fraction = 0.01\n")
    limits = home.load().limits
    if edit is None:
        (home.config / "ordergate.toml").unlink()
    else:
        home.toml(edit)
    assert limits.current().symbols_allow == ()
    assert limits.current().daily_loss_fraction == Decimal("0.01")
    assert isinstance(limits.problem, LimitsUnreadable)
    home.toml("[limits]\ndaily_loss_fraction = 0.01\n")
    assert limits.current().symbols_allow == ("*",)
    assert limits.problem is None


def test_a_limit_that_was_never_good_stops_the_start(home: Home) -> None:
    home.toml("[limits]\ndaily_loss_fraction = 7\n")
    with pytest.raises(LimitsUnreadable, match="daily_loss_fraction"):
        home.load()


def test_a_variable_stands_over_the_file_for_limits_too(home: Home) -> None:
    home.toml("[limits]\ndaily_loss_fraction = 0.02\n")
    limits = home.load(ORDERGATE_LIMITS__DAILY_LOSS_FRACTION="0.005").limits
    home.toml("[limits]\ndaily_loss_fraction = 0.03\n")
    assert limits.current().daily_loss_fraction == Decimal("0.005")


@pytest.mark.parametrize(
    "url",
    [
        "http://gate.example.net",
        "https://gate.example.net/approve",
        "https://ann@gate.example.net",
        "https://Gate.example.net",
        "gate.example.net",
    ],
)
def test_the_public_address_is_an_https_origin(home: Home, url: str) -> None:
    home.toml(f'[console]\npublic_url = "{url}"')
    with pytest.raises(SettingsRefused, match=r"console\.public_url"):
        home.load()
    home.toml('[console]\npublic_url = "https://gate.example.net:8443"')
    assert home.load().console.public_url == "https://gate.example.net:8443"


def test_toolsets_are_chosen_by_name_in_the_file_or_by_one_client(home: Home) -> None:
    assert home.load().mcp.toolsets == ("default",)
    home.toml('[mcp]\ntoolsets = ["default", "research"]\n')
    assert home.load().mcp.toolsets == ("default", "research")
    assert home.load(ORDERGATE_MCP__TOOLSETS="market,risk").mcp.toolsets == ("market", "risk")
    for wrong in ("orders_live", "everything"):
        assert "mcp.toolsets" in home.refusal(ORDERGATE_MCP__TOOLSETS=wrong)


def test_every_toolset_can_be_named() -> None:
    named = set(get_args(ToolsetName))
    assert named == {"default", "all", *(toolset.value for toolset in Toolset)}


def test_of_two_names_for_the_signal_floor_the_higher_number_holds(home: Home) -> None:
    assert home.load().signals.confidence_min == Decimal("0.42")
    assert home.load(MIN_SIGNAL_CONFIDENCE="0.6").signals.confidence_min == Decimal("0.6")
    own = "ORDERGATE_SIGNALS__CONFIDENCE_MIN"
    for mine, foreign in (("0.5", "0.7"), ("0.7", "0.5")):
        found = home.load(**{own: mine, "MIN_SIGNAL_CONFIDENCE": foreign}).signals
        assert found.confidence_min == Decimal("0.7")
    home.toml("[signals]\nconfidence_min = 0.55\nedge_min = 0.1\n")
    assert (home.load().signals.confidence_min, home.load().signals.edge_min) == (
        Decimal("0.55"),
        Decimal("0.1"),
    )
    assert "confidence_min" in home.refusal(MIN_SIGNAL_CONFIDENCE="1.5")
    assert "confidence_min" in home.refusal(MIN_SIGNAL_CONFIDENCE="much")
