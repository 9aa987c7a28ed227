"""A search that learns from what it tried: Optuna's TPE, in batches whose size never varies.

Batches make the result the same whatever the number of workers. Optuna comes with the extra
`research` and is loaded here alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from ordergate.model.errors import NotSupported
from ordergate.model.trials import Ended
from ordergate.research.sweep.space import Axis, Parameters, combinations, require_trials
from ordergate.research.sweep.sweep import Task, Watcher, Workers, sweep

if TYPE_CHECKING:
    from ordergate.research.sweep.tried import Tried

BATCH: Final = 10

Score = Callable[["Tried"], float | None]


class _OfAll:
    """Tells a watcher of the whole search where one batch only knows its own size."""

    def __init__(self, watcher: Watcher, total: int) -> None:
        self._watcher, self._total = watcher, total

    def told(self, tried: Sequence[Tried], total: int) -> None:
        self._watcher.told(tried, self._total)

    def stopped(self) -> bool:
        return self._watcher.stopped()


def search(
    task: Task, axes: Sequence[Axis], workers: Workers, watcher: Watcher, plan: tuple[int, Score]
) -> list[Tried]:
    """Try `plan[0]` combinations, each chosen after the batches before; raise Stopped.

    The same combination is run once; a search that only repeats itself ends early. Raises
    NotSupported without Optuna.
    """
    trials, score = plan
    require_trials(trials)
    trials = min(trials, combinations(axes))
    study = _study(task.spec.seed)
    seen: dict[tuple[float, ...], Tried] = {}
    found: list[Tried] = []
    of_all = _OfAll(watcher, trials)
    for _ in range(2 * trials):
        if len(found) >= trials:
            break
        asked = [_asked(study, axes) for _ in range(min(BATCH, trials - len(found)))]
        fresh: dict[tuple[float, ...], Parameters] = {}
        for _, parameters in asked:
            key = tuple(parameters.values())
            if key not in seen:
                fresh[key] = parameters
        made = sweep(task, list(fresh.values()), workers, of_all, first=len(found))
        seen.update(zip(fresh, made, strict=True))
        found += made
        for trial, parameters in asked:
            _tell(study, trial, seen[tuple(parameters.values())], score)
    return found


def _study(seed: int) -> Any:
    try:
        import optuna
    except ImportError:
        raise NotSupported(
            "the search tpe needs Optuna, which is not installed",
            fix="pip install 'ordergate[research]', or ask for random.",
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=BATCH)
    )


def _asked(study: Any, axes: Sequence[Axis]) -> tuple[Any, Parameters]:
    trial = study.ask()
    # By place, so that TPE sees an order: a category has none.
    places = {one.name: trial.suggest_int(one.name, 0, len(one.values) - 1) for one in axes}
    return trial, {one.name: one.values[places[one.name]] for one in axes}


def _tell(study: Any, trial: Any, tried: Tried, score: Score) -> None:
    import optuna

    value = score(tried) if tried.ended is Ended.DONE else None
    if value is None:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    else:
        study.tell(trial, value)
