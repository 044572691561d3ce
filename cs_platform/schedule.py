"""The whole periodic schedule on one page.

Every entry is safe to run late, twice or not at all: it only looks for rows that are due. The nightly run itself is
started when a workspace's local hour has come, so this page needs no time zones.
"""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    # A hint every few seconds; rows that are due decide. Expires, so that hints never pile up.
    "accounts.run_jobs": {"task": "accounts.run_jobs", "schedule": 3.0, "options": {"expires": 3}},
    # What is kept for a time only, and workspaces whose time of grace is over.
    "accounts.prune": {"task": "accounts.prune", "schedule": 24 * 3600.0, "options": {"expires": 3600}},
    "accounts.delete_due_workspaces": {
        "task": "accounts.delete_due_workspaces",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    # The summary of a member's day, at eight of their own clock.
    "accounts.send_due_digests": {
        "task": "accounts.send_due_digests",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    # Each hour the payment provider's own list of messages, for those that never arrived; each night both ledgers
    # beside each other. What is not due yet is not begun.
    "accounts.reconcile_billing": {
        "task": "accounts.reconcile_billing",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
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
    # The customers of the demo workspace go on living; before the night, so that it sees the day that has just ended.
    "health.continue_demo": {
        "task": "health.continue_demo",
        "schedule": 900.0,
        "options": {"expires": 900},
    },
    # Months of the event table ahead of time; what comes in before its month exists waits in the default partition.
    "health.keep_partitions": {
        "task": "health.keep_partitions",
        "schedule": 12 * 3600.0,
        "options": {"expires": 3600},
    },
}
