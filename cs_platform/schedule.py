"""The whole periodic schedule on one page.

Every entry is safe to run late, twice or not at all: it only looks for rows that are due. The nightly run itself is
started when a workspace's local hour has come, so this page needs no time zones.
"""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {}
