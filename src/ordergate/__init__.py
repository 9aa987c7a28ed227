"""ordergate: the gate between AI agents and broker accounts."""

__version__ = "0.1.0"
