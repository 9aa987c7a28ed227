"""Plants wrong imports into a copy of the package and asks import-linter about each, alone.

Runs as a program of its own, so that the copy is the `ordergate` that Python finds.
Reads {"config": path, "cases": [[contract, importer, imported], ...]} and prints what broke.
"""

from __future__ import annotations

import copy
import json
import sys
from typing import Any

import grimp
from importlinter.api import read_configuration
from importlinter.application import use_cases
from importlinter.application.user_options import UserOptions
from importlinter.domain.contract import Contract, registry


def contracts(config: str) -> dict[str, Contract]:
    read = read_configuration(config)
    options = UserOptions(read["session_options"], read["contracts_options"])
    use_cases._register_contract_types(options)
    return {
        row["id"]: registry.get_contract_class(row["type"])(
            name=row["name"], session_options=options.session_options, contract_options=row
        )
        for row in options.contracts_options
    }


def is_kept(contract: Contract, graph: grimp.ImportGraph) -> bool:
    return bool(contract.check(copy.deepcopy(graph), verbose=False).kept)


def main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    laws = contracts(asked["config"])
    graph = grimp.build_graph("ordergate", include_external_packages=True, cache_dir=None)
    cases = [tuple(case) for case in asked["cases"]]
    not_seen = [
        case for case in cases if not graph.direct_import_exists(importer=case[1], imported=case[2])
    ]
    clean = copy.deepcopy(graph)
    for _, importer, imported in cases:
        clean.remove_import(importer=importer, imported=imported)
    missed = []
    for contract, importer, imported in cases:
        planted = copy.deepcopy(clean)
        planted.add_import(
            importer=importer, imported=imported, line_number=1, line_contents="planted"
        )
        if is_kept(laws[contract], planted):
            missed.append([contract, importer, imported])
    stranger = copy.deepcopy(clean)
    stranger.add_module("ordergate.stranger")
    json.dump(
        {
            "not_seen": not_seen,
            "missed": missed,
            "broken_before": [name for name, law in laws.items() if not is_kept(law, clean)],
            "laws": list(laws),
            "stranger_kept": is_kept(laws["rings"], stranger),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
