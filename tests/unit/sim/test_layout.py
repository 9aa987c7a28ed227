from __future__ import annotations

from ordergate.sim import layout


def test_tables_do_not_overlap() -> None:
    columns = [layout.SLIP, layout.CAP, layout.DEALT, layout.OPEN_AFTER, layout.SYMBOL, layout.DUE]
    columns += [layout.RATE, layout.BEGIN, layout.W_STOP, layout.W_TARGET, layout.W_KIND]
    columns += [layout.W_PRICE, layout.W_UNTIL]
    places = [place for column in columns for place in (column, column + 1)]
    assert len(set(places)) == len(places)
    assert min(places) > layout.FINER
    assert max(places) < layout.SYMBOLS_AT
    assert layout.WEIGHTS + 7 <= layout.SYMBOL_WIDTH
    assert layout.A_ROOM < layout.REFUSED_AT
    assert layout.REFUSED_AT + layout.R_RISK < layout.MARKS_AT
