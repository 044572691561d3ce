"""Columns that say how it ended: a model that learns from them has read the answer."""

from __future__ import annotations

import re

_END_WORDS = re.compile(
    r"churn|attrit|cancel|terminat|lapsed?$|lapse_|offboard|deactivat|uninstall|win_?back|reactivat"
    r"|(^|_)(ended|end|end_date|end_reason|exit|exited|expired|lost|left|leaver|gone|departed|quit|closed_lost)"
    r"(_|$)"
)


def names_the_end(name: str) -> bool:
    """Whether a column's name speaks of the end of the relationship."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return bool(_END_WORDS.search(re.sub(r"[^a-z0-9]+", "_", snake)))
