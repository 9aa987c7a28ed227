"""What Prometheus may scrape: calls by tool and code, their time, orders by status."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ordergate.model.views import Change
from ordergate.surfaces.catalogue.dispatch import Call

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 120.0)


class Metrics:
    """Counts calls of every door and changes of every order; its labels are closed lists."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._calls = Counter(
            "ordergate_calls", "Calls by tool and code", ("tool", "code"), registry=self._registry
        )
        self._seconds = Histogram(
            "ordergate_call_seconds",
            "Time to answer a call",
            ("tool",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._orders = Counter(
            "ordergate_order_changes",
            "Order changes by status reached",
            ("status",),
            registry=self._registry,
        )
        self._ready = Gauge(
            "ordergate_ready", "1 when opening orders are accepted", registry=self._registry
        )

    def called(self, call: Call) -> None:
        """Observe a finished call."""
        self._calls.labels(call.tool, call.code).inc()
        self._seconds.labels(call.tool).observe(call.seconds)

    def changed(self, change: Change) -> None:
        """Observe an order that moved."""
        if change.topic == "orders":
            self._orders.labels(str(change.body.get("status"))).inc()

    def text(self, *, ready: bool) -> bytes:
        """Return all of it in Prometheus' text format."""
        self._ready.set(1 if ready else 0)
        return generate_latest(self._registry)
