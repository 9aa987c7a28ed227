"""The first ordergate.toml: every key, its meaning and its default, commented out."""

from __future__ import annotations

import os

from ordergate.adapters.config_files import Directories, toml_text
from ordergate.order.policy.limits import SPECS, shown
from ordergate.settings.keys import FLAGS_ONLY, KEYS, SECRETS, described


def write_first(where: Directories) -> bool:
    """Write the commented ordergate.toml (0600) where there is none; say whether it was written."""
    where.config.mkdir(mode=0o700, parents=True, exist_ok=True)
    where.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(where.toml, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with open(handle, "w", encoding="utf-8") as file:
        file.write(template())
    return True


def template() -> str:
    """Return the text of a first ordergate.toml: every key, its meaning and default, commented."""
    lines = [
        "# ordergate: your settings. Take the # off a line to change it. Keys carry their unit.",
        "# Under [limits] and [risk], what is stricter counts at the very next judgement, what is",
        "# looser after limits.loosening_delay_s; the rest at the next start.",
        "# Tables of their own only tighten: [limits.agents.<name>], [limits.accounts.<id>],",
        "# [limits.venues.<name>]; so do other programs' keys under [compat.<source>].",
    ]
    section = ""
    for key, field in KEYS.items():
        head, _, name = key.rpartition(".")
        if key in FLAGS_ONLY | SECRETS or not field.description:
            continue
        if head != section:
            lines += ["", f"[{head}]"]
            section = head
        example = toml_text(field.examples[0] if field.examples else field.get_default())
        lines.append(f"{f'# {name} = {example}':<44} # {field.description}")
    for spec in SPECS:
        if spec.table != section:
            lines += ["", f"[{spec.table}]"]
            section = spec.table
        lines.append(f"{f'# {spec.key} = {shown(spec.default)}':<44} # {described(spec)}")
    return "\n".join(lines) + "\n"
