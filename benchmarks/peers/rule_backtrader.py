"""The common rule in backtrader (GPL-3.0): bench only, in its own venv."""

import json
import sys
import time

began = time.perf_counter()
import backtrader as bt  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

imported = time.perf_counter() - began
data = np.load(sys.argv[1])
frame = pd.DataFrame(
    {name: data[name] for name in ("open", "high", "low", "close")},
    index=pd.date_range("2020-01-01", periods=len(data["close"]), freq="min"),
)
frame["volume"] = 0.0


class Rule(bt.Strategy):
    def __init__(self):
        self.gap = bt.ind.SMA(period=10) - bt.ind.SMA(period=30)

    def next(self):
        want = self.gap[0] > 1e-9
        if want and not self.position:
            self.buy(size=10_000)
        elif not want and self.position:
            self.close()


seconds = []
for _ in range(int(sys.argv[3])):
    at = time.perf_counter()
    house = bt.Cerebro(stdstats=False)
    house.adddata(bt.feeds.PandasData(dataname=frame))
    house.addstrategy(Rule)
    house.broker.setcash(100_000.0)
    house.broker.setcommission(commission=0.2e-4)
    house.broker.set_slippage_perc(0.5e-4, slip_open=True, slip_match=True, slip_out=True)
    house.run()
    seconds.append(time.perf_counter() - at)
final = float(house.broker.getvalue())
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
