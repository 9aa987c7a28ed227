"""One real gateway that the abuse cases share; a case that changes its rules starts its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.gateway_process import ROOMY, GatewayProcess, gateway


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with gateway(tmp_path_factory.mktemp("abused"), ROOMY, operator=True) as one:
        yield one
