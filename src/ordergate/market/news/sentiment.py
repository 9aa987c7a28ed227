"""The tone of news by a small lexicon: counted words, nothing learnt, the same for everybody.

score = (positive - negative) / (positive + negative), of the words below; a negation within the
three words before turns a word around. None where no word of the lexicon stands. A group's score is
the mean of its articles' scores. It measures how things are told, not what prices will do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

METHOD: Final = "lexicon 1"
NEGATION_REACH: Final = 3


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


POSITIVE: Final = _set(
    "gain gains gained rise rises rising rose rally rallies rallied surge surges surged soar"
    " soars soared jump jumps jumped climb climbs climbed advance advances advanced rebound"
    " rebounds rebounded recover recovers recovered recovery beat beats beating exceed exceeds"
    " exceeded strong stronger strongest strength robust growth grow grows grew growing profit"
    " profits profitable upgrade upgrades upgraded outperform outperforms bullish optimism"
    " optimistic boost boosts boosted improve improves improved improvement approve approves"
    " approved approval record success successful win wins won higher upbeat confidence"
    " resilient expand expands expanded expansion breakthrough inflow inflows"
)
NEGATIVE: Final = _set(
    "fall falls fell falling fallen drop drops dropped decline declines declined plunge"
    " plunges plunged slump slumps slumped tumble tumbles tumbled slide slides slid sink sinks"
    " sank crash crashes crashed collapse collapses collapsed loss losses lose loses lost weak"
    " weaker weakest weakness miss misses missed downgrade downgrades downgraded underperform"
    " bearish fear fears pessimism pessimistic cut cuts recession crisis default defaults"
    " bankrupt bankruptcy fraud lawsuit lawsuits sue sues sued probe investigation hack hacked"
    " breach exploit outflow outflows lower worse worst warn warns warned warning layoff"
    " layoffs selloff sell-off volatile turmoil risk risks sanction sanctions ban bans banned"
    " halt halted liquidation liquidations inflationary contraction shrink shrinks shrank"
)
NEGATIONS: Final = _set("no not never without neither nor hardly cannot")
SECTORS: Final[Mapping[str, frozenset[str]]] = {
    "crypto": _set(
        "bitcoin btc ether ethereum eth crypto cryptocurrency stablecoin blockchain token tokens"
        " solana xrp tether usdt defi"
    ),
    "fx": _set(
        "dollar euro yen sterling pound franc yuan currency currencies forex eurusd usdjpy gbpusd"
        " peso loonie aussie"
    ),
    "metals": _set("gold silver platinum palladium copper bullion xauusd"),
    "energy": _set("oil crude brent wti opec gas gasoline lng energy barrel barrels"),
    "rates": _set(
        "fed ecb boe boj fomc inflation cpi yields yield bonds treasury treasuries rate rates"
        " payrolls"
    ),
    "equities": _set(
        "stock stocks shares equities nasdaq dow nifty sensex earnings dividend ipo index"
        " shareholders buyback"
    ),
}
_WORD: Final = re.compile(r"[a-z][a-z'-]*")


@dataclass(frozen=True, slots=True)
class Tone:
    """A score from -1 to 1 and what it rests on; None = no word of the lexicon."""

    score: Decimal | None
    positive: int
    negative: int


@dataclass(frozen=True, slots=True)
class GroupTone:
    """The mean score of a group of articles, and how many of them had one."""

    score: Decimal | None
    articles: int
    scored: int


def tone(words: str) -> Tone:
    """Return the tone of a text."""
    found = _WORD.findall(words.lower())
    positive = negative = 0
    for place, word in enumerate(found):
        side = (word in POSITIVE) - (word in NEGATIVE)
        if not side:
            continue
        before = found[max(0, place - NEGATION_REACH) : place]
        if any(one in NEGATIONS or one.endswith("n't") for one in before):
            side = -side
        positive += side > 0
        negative += side < 0
    counted = positive + negative
    return Tone(
        _rounded(Decimal(positive - negative) / counted) if counted else None, positive, negative
    )


def sectors_of(words: str) -> tuple[str, ...]:
    """Return the sectors a text speaks of, in a fixed order; () where it names none."""
    found = frozenset(_WORD.findall(words.lower()))
    return tuple(name for name, named in SECTORS.items() if found & named)


def mean(tones: Sequence[Tone]) -> GroupTone:
    """Return a group's tone; every article that has one counts the same."""
    scores = [one.score for one in tones if one.score is not None]
    score = _rounded(sum(scores, Decimal(0)) / len(scores)) if scores else None
    return GroupTone(score, len(tones), len(scores))


def by_sector(told: Iterable[tuple[str, Tone]]) -> dict[str, GroupTone]:
    """Return the tone of each sector that (text, tone) pairs speak of."""
    groups: dict[str, list[Tone]] = {}
    for words, one in told:
        for sector in sectors_of(words):
            groups.setdefault(sector, []).append(one)
    return {name: mean(groups[name]) for name in SECTORS if name in groups}


def _rounded(score: Decimal) -> Decimal:
    return score.quantize(Decimal("0.01"))
