"""The common rule in vectorbt (Apache-2.0 with Commons Clause): bench only, in its own venv."""

import json
import sys
import time

began = time.perf_counter()
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import vectorbt as vbt  # noqa: E402

imported = time.perf_counter() - began
data = np.load(sys.argv[1])
mode, turns = sys.argv[2], int(sys.argv[3])
opened, close = data["open"], data["close"]


def run(fast: int, slow: int) -> object:
    price = pd.Series(close)
    ahead = price.rolling(fast).mean().to_numpy() - price.rolling(slow).mean().to_numpy() > 1e-9
    entries = np.concatenate([[False], ahead[:-1]])
    held = np.concatenate([[False], entries[:-1]])
    return vbt.Portfolio.from_signals(
        pd.Series(close),
        pd.Series(entries & ~held),
        pd.Series(~entries & held),
        price=pd.Series(opened),
        size=10_000.0,
        size_type="amount",
        fees=0.2e-4,
        slippage=0.5e-4,
        init_cash=100_000.0,
        freq="1h",
    )


def sweep() -> object:
    price = pd.Series(close)
    pairs = [(fast, slow) for fast in range(5, 25) for slow in range(26, 76)]
    means = {n: price.rolling(n).mean().to_numpy() for n in range(5, 76)}
    ahead = np.column_stack([means[f] - means[s] > 1e-9 for f, s in pairs])
    none = np.zeros((1, ahead.shape[1]), dtype=bool)
    entries = np.vstack([none, ahead[:-1]])
    held = np.vstack([none, entries[:-1]])
    portfolio = vbt.Portfolio.from_signals(
        pd.Series(close),
        pd.DataFrame(entries & ~held),
        pd.DataFrame(~entries & held),
        price=pd.Series(opened),
        size=10_000.0,
        size_type="amount",
        fees=0.2e-4,
        slippage=0.5e-4,
        init_cash=100_000.0,
        freq="1h",
    )
    return portfolio.total_return()


seconds = []
last = None
for _ in range(turns):
    at = time.perf_counter()
    last = sweep() if mode == "sweep" else run(10, 30)
    if mode != "sweep":
        equity = last.value()
    seconds.append(time.perf_counter() - at)
said = {"import": imported, "seconds": seconds, "end_to_end": time.perf_counter() - began}
if mode != "sweep":
    said["final"] = float(equity.iloc[-1])
print(json.dumps(said))
