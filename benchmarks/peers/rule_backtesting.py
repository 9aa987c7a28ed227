"""The common rule in backtesting.py (AGPL-3.0): bench only, in its own venv."""

import json
import sys
import time
import warnings

began = time.perf_counter()
warnings.simplefilter("ignore")
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from backtesting import Backtest, Strategy  # noqa: E402

imported = time.perf_counter() - began
data = np.load(sys.argv[1])
frame = pd.DataFrame(
    {name.title(): data[name] for name in ("open", "high", "low", "close")},
    index=pd.date_range("2020-01-01", periods=len(data["close"]), freq="min"),
)


class Rule(Strategy):
    def init(self):
        close = pd.Series(self.data.Close)
        gap = close.rolling(10).mean() - close.rolling(30).mean()
        self.ahead = self.I(lambda: gap.to_numpy(), plot=False)

    def next(self):
        want = self.ahead[-1] > 1e-9
        if want and not self.position:
            self.buy(size=10_000)
        elif not want and self.position:
            self.position.close()


seconds = []
for _ in range(int(sys.argv[3])):
    at = time.perf_counter()
    test = Backtest(
        frame, Rule, cash=100_000, spread=1e-4, commission=0.2e-4, finalize_trades=False
    )
    found = test.run()
    seconds.append(time.perf_counter() - at)
final = float(found["_equity_curve"]["Equity"].iloc[-1])
print(
    json.dumps(
        {
            "import": imported,
            "seconds": seconds,
            "final": final,
            "end_to_end": time.perf_counter() - began,
        }
    )
)
