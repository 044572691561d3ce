"""Change a risk rule: thresholds within their bounds, severity, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.models import Job, User
from accounts.services.audit import audit
from cs_platform.lib.scoping import current_workspace_id
from health.models import RiskRule
from health.services.scorecards import RESCORE_JOB


@transaction.atomic
def change_rule(*, rule: RiskRule, values: Mapping[str, Any], acting_user: User) -> None:
    """Store the new settings and have risks and queue of the latest day redone."""
    for name, value in values.items():
        setattr(rule, name, value)
    rule.save()
    Job.objects.put(RESCORE_JOB, current_workspace_id(), priority=-5)
    audit(
        "health.risk_rule.changed",
        acting_user=acting_user,
        target=rule,
        cause=rule.cause,
        fields=sorted(values),
    )
