"""A process that holds a data directory as `ordergate up` does, and answers /readyz only.

Arguments: the data directory, and how long to take before it is ready (seconds, or `never`).
Appends its pid to <data>/started; stops when its standard input closes.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from ordergate.surfaces.cli.running import DirectoryHeld, Note, hold, leave_note
from support.cli_gateway import CannedGateway, serving


def main() -> int:
    data_dir, slow = Path(sys.argv[1]), sys.argv[2]
    if slow == "never":
        return 1
    try:
        with hold(data_dir, wait_s=0), serving(CannedGateway()) as port:
            with open(data_dir / "started", "a", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
            time.sleep(float(slow))
            token = data_dir / "agent.token"
            token.write_text("og_ag_00000000_test\n")
            token.chmod(0o600)
            url = f"http://127.0.0.1:{port}"
            leave_note(
                data_dir,
                Note(pid=os.getpid(), started_at="now", paper_only=True, rest_url=url, mcp_url=url),
            )
            sys.stdin.read()
    except DirectoryHeld:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
