"""The whole periodic schedule on one page.

Every entry is safe to run late, twice or not at all: it only looks for rows that are due. The nightly run itself is
started when a workspace's local hour has come, so this page needs no time zones.
"""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    # A hint every few seconds; rows that are due decide. Expires, so that hints never pile up.
    "accounts.run_jobs": {"task": "accounts.run_jobs", "schedule": 3.0, "options": {"expires": 3}},
    "health.start_due_nights": {
        "task": "health.start_due_nights",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "health.request_due_trainings": {
        "task": "health.request_due_trainings",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    # Months of the event table ahead of time; what comes in before its month exists waits in the default partition.
    "health.keep_partitions": {
        "task": "health.keep_partitions",
        "schedule": 12 * 3600.0,
        "options": {"expires": 3600},
    },
}
