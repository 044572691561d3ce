"""What a case tells others, in the transaction of its step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cs_platform.lib.registry import Registry


@dataclass(frozen=True)
class CaseListener:
    """Follows the cases. Each is called under the case's row lock, with the `DunningCase` and the time.

    `on_notices_due` begins the notices and returns their sequence's run (None: nobody is there to be told);
    `on_paused` is told when a person stopped the case, `on_resumed` when it goes on, `on_closed` when it is over.
    """

    name: str
    on_opened: Callable[[Any, datetime], None] = field(default=lambda case, now: None)
    on_notices_due: Callable[[Any, datetime], Any] = field(default=lambda case, now: None)
    on_paused: Callable[[Any, datetime], None] = field(default=lambda case, now: None)
    on_resumed: Callable[[Any, datetime], None] = field(default=lambda case, now: None)
    on_closed: Callable[[Any, datetime], None] = field(default=lambda case, now: None)


case_listeners: Registry[CaseListener] = Registry("case listener", CaseListener)
