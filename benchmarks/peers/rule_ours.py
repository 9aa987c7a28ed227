"""The common rule in a fresh process of ours: from the import to the result."""

import json
import sys
import time

began = time.perf_counter()
from pathlib import Path  # noqa: E402

from backtest_rule import laid_on, numbers, word_of  # noqa: E402
from ordergate.research.backtest.compiled import walker  # noqa: E402
from ordergate.research.backtest.engine import run_laid  # noqa: E402

data = numbers(sys.argv[1])
swift = walker(Path(sys.argv[2]))
laid = laid_on(data)
told = run_laid(laid, word_of(data["close"], 10, 30), walker=swift)
print(json.dumps({"end_to_end": time.perf_counter() - began, "net": told.net / 10**8}))
