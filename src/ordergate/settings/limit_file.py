"""The operator's limits on disk, read again whenever the file has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ordergate.adapters.config_files import SettingsRefused, stamp, toml_layer
from ordergate.model.errors import DataUnavailable, GateError
from ordergate.order.policy.limits import Limits
from ordergate.settings.keys import IN_TOML, LIMIT_KEYS


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
            layer = toml_layer(self._path, known=IN_TOML)
            if layer is None and self._was_there:
                raise SettingsRefused([f"{self._path.name} is gone"])
            self._was_there = layer is not None
            held = {key: value for key, value in (layer or {}).items() if key in LIMIT_KEYS}
            self._limits, self.problem = Limits.from_mapping(held | self._overrides), None
        except (GateError, OSError, ValueError) as error:
            fix = f"mend {self._path}, or take back the last edit"
            self.problem = LimitsUnreadable(f"the limits cannot be read: {error}", fix=fix)
            if self._limits is not None:
                self._limits = replace(self._limits, symbols_allow=())
