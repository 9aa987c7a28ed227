"""The operator's limits on disk, read again whenever the file has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ordergate.adapters.config_files import SettingsRefused, read_tables, stamp
from ordergate.model.errors import DataUnavailable, GateError
from ordergate.order.policy.limits import Limits
from ordergate.settings.limit_tables import policy_of


class LimitsUnreadable(DataUnavailable):
    """The limits file is broken or gone: nothing that adds risk is judged good until it reads."""

    retryable = False
    requires_human = True


class LimitFile:
    """The operator's limits as they stand on disk this very moment.

    `current` costs one stat; it reads the file again when that changed. While the file is broken
    or gone, no symbol may be opened and exits pass: no limit is guessed. A file that was never
    good raises LimitsUnreadable. `problem` says what is wrong with it, if anything.
    """

    def __init__(self, path: Path, *, overrides: Mapping[str, object]) -> None:
        self._path = path
        self._overrides = dict(overrides)
        self._seen: tuple[int, ...] | None = ()
        self._was_there = path.exists()
        self._limits: Limits | None = None
        self.problem: LimitsUnreadable | None = None

    def current(self) -> Limits:
        seen = stamp(self._path)
        if seen != self._seen:
            self._read()
            self._seen = seen
        if self._limits is None:
            raise self.problem or LimitsUnreadable("the limits cannot be read")
        return self._limits

    def _read(self) -> None:
        try:
            tables = read_tables(self._path)
            if tables is None and self._was_there:
                raise SettingsRefused([f"{self._path.name} is gone"])
            self._was_there = tables is not None
            self._limits = policy_of(tables or {}, self._path.name, self._overrides)
            self.problem = None
        except (GateError, OSError, ValueError) as error:
            fix = f"mend {self._path}, or take back the last edit"
            self.problem = LimitsUnreadable(f"the limits cannot be read: {error}", fix=fix)
            if self._limits is not None:
                self._limits = replace(self._limits, symbols_allow=(), broken=True)
