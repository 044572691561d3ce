"""What this app adds to the demo workspace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from health.registry import DemoPart, demo_parts


def register() -> None:
    demo_parts.register(DemoPart("payments", _payments))


def _payments(workspace: Any, now: datetime, say: Callable[[str], None]) -> None:
    from dunning.services.demo.payments import write

    write(workspace, now, say)
