"""What every section of the settings is made of."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

NAME: Final = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]+")


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def outside(url: str) -> str:
    """Return an address that may be asked; raise ValueError for http beyond this machine."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    local = name == "localhost" or (is_address(name) and ip_address(name).is_loopback)
    if not name or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
        raise ValueError("an https address; http to this machine alone")
    return url
