"""The data line's calendar: sessions, days, and how long its tables last.

The rules themselves are in the model, because the feeds and the paper venue live by them too and
adapters do not know this line.
"""

from __future__ import annotations

from ordergate.model.hours import day_end, ends_soon, session, session_window, trading_day

__all__ = ["day_end", "ends_soon", "session", "session_window", "trading_day"]
