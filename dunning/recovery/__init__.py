"""What became of failed payments, as numbers: pure, over facts that are passed in."""

from dunning.recovery.alarm import Alarm, WeekOfTries, failure_alarm, failure_alarms
from dunning.recovery.facts import RecoveryFact
from dunning.recovery.rates import Recovery, by_group, by_week, recovery

__all__ = [
    "Alarm",
    "Recovery",
    "RecoveryFact",
    "WeekOfTries",
    "by_group",
    "by_week",
    "failure_alarm",
    "failure_alarms",
    "recovery",
]
