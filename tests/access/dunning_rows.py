"""The rows that addresses of `dunning` can name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Account, Membership
from dunning.models import BillQuestion, DunningCase, DunningPolicyVersion
from dunning.services.policies import the_policy
from tests.dunning.builders import make_case

OPEN: dict[str, str] = {
    "dunning:pay": "guarded by its own token",
    "dunning:pay_card": "guarded by its own token",
    "dunning:pay_wait": "guarded by its own token",
    "dunning:pay_done": "guarded by its own token",
    "dunning:pay_now": "guarded by its own token",
    "dunning:pay_question": "guarded by its own token",
}
KINDS: dict[str, tuple[str, ...]] = {
    "case": ("case", "pay_link", "try_again", "new_try_again"),
    "question": ("new_answer", "answers"),
    "policy": ("policy_draft_discard",),
    "policy_version": ("policy_rollback",),
}
FRAMES: set[str] = set()
KEPT = (BillQuestion, DunningCase, DunningPolicyVersion)


def rows(account: Account, member: Membership, now: datetime) -> dict[str, Any]:
    """One live row of each kind, by the name that `KINDS` uses; made in the running scope."""
    policy = the_policy()
    case = make_case(account, failed_at=now)
    question = BillQuestion.objects.create(case=case, account=account, text="Why twice?", asked_at=now)
    return {
        "case": case,
        "question": question,
        "policy": policy,
        "policy_version": policy.versions.get(number=1),
    }
