"""What the demo tells: scenes with their facts, shown as they happen and kept for the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text

from ordergate.surfaces.cli.screen import plain


class Unexpected(Exception):
    """A scene did not go as it must; the demo ends here and fails."""


@dataclass(slots=True)
class Scene:
    title: str
    facts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Story:
    """The transcript. `quiet` keeps it off the screen."""

    quiet: bool = False
    scenes: list[Scene] = field(default_factory=list)
    _console: Console = field(
        default_factory=lambda: Console(highlight=False, markup=False, emoji=False)
    )

    def scene(self, title: str) -> None:
        """Open a scene."""
        self.scenes.append(Scene(title))
        if not self.quiet:
            self._console.print(Text(f"\n{len(self.scenes):>2}. {title}", style="bold"))

    def fact(self, text: str) -> None:
        """Tell what was seen."""
        self.scenes[-1].facts.append(plain(text))
        if not self.quiet:
            self._console.print(Text(f"    {plain(text)}"), soft_wrap=True)

    def check(self, holds: bool, text: str) -> None:
        """Tell what was seen, or end the demo because it is not so."""
        if not holds:
            raise Unexpected(f"{self.scenes[-1].title}: not so: {text}")
        self.fact(f"✓ {text}")

    def refused(self, answer: Mapping[str, Any], code: str, what: str) -> None:
        """Check that an answer is this refusal, and tell its rule, its number and its headroom."""
        error = answer.get("error") or {}
        self.check(error.get("code") == code, f"{what}: {error.get('code')}")
        self.fact(f"  {error.get('message', '')}")
        if error.get("fix"):
            self.fact(f"  fix: {error['fix']}")
        for verdict in (error.get("details") or {}).get("checklist") or ():
            if verdict.get("finding") == "refuse":
                self.fact(f"  {numbers(verdict)}")


def numbers(verdict: Mapping[str, Any]) -> str:
    """Return a rule's line: its name, its value, its limit and what is left."""
    parts = [
        f"{word} {verdict[word]}"
        for word in ("value", "limit", "headroom")
        if verdict.get(word) is not None
    ]
    unit = verdict.get("unit") or ""
    measured = "; ".join(parts) or "no number"
    return f"rule {verdict['rule']}: {measured}" + (f" ({unit})" if unit else "")
