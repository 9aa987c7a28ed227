"""A stranger's fuzzer reads our OpenAPI document and holds the real door to it; `make fuzz`."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from ordergate.surfaces.catalogue.operations import operations
from support.gateway_process import ROOMY, gateway

EXAMPLES = int(os.environ.get("ORDERGATE_FUZZ_EXAMPLES", "5"))
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_schema_conformance", "negative_data_rejection", "ignored_auth"),
    "response_headers_conformance",  # not unsupported_method: aliases of other programs answer too
)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    seed = os.environ.get("ORDERGATE_FUZZ_SEED") or str(random.SystemRandom().randrange(2**32))
    print(f"ORDERGATE_FUZZ_SEED={seed}")
    with gateway(tmp_path, ROOMY) as running:
        options = {
            "--header": f"Authorization: Bearer {running.token}",
            "--max-examples": str(EXAMPLES),
            "--seed": seed,
            "--phases": "examples,coverage,fuzzing,stateful",
            "--checks": ",".join(CHECKS),
            "--request-timeout": "10",
            "--max-response-time": "2",
        }
        words = [word for option in options.items() for word in option]
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", *words, "--no-color"]
        done = subprocess.run(
            [*command, f"{running.rest}/api/v1/openapi.json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=1700,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        print(done.stdout[-1500:])
        every = len(operations(data_only=False))
        assert f"{every}/{every}" in done.stdout, "every operation was tried"
        assert running.verified() == 0
        assert "tool.failed" not in running.errors
