"""Quotes as changes: what the market says, in the stream's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ordergate.model.canonical import iso
from ordergate.model.market import Quote, Slice
from ordergate.model.values import Symbol, plain
from ordergate.model.views import Change

TOPIC: Final = "quotes"


def quote_change(quote: Quote) -> Change:
    """Return a quote with its source and time; how old it is the reader sees from `as_of`."""
    return Change(
        topic=TOPIC,
        principal=None,
        body={
            "symbol": str(quote.symbol),
            "bid": plain(quote.bid),
            "ask": plain(quote.ask),
            "as_of": iso(quote.time),
            "source": quote.source,
            "synthetic": quote.synthetic,
        },
    )


def tell_quotes(
    quote_of: Callable[[Symbol], Quote | None], publish: Callable[[Change], None]
) -> Callable[[Slice], None]:
    """Return a listener for the market that publishes the newest quote of what has moved."""

    def moved(seen: Slice) -> None:
        quote = quote_of(seen.symbol)
        if quote is not None:
            publish(quote_change(quote))

    return moved
