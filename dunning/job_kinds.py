"""The kinds of work that this app does in the background, and what brings them."""

from __future__ import annotations

from accounts import signals
from accounts.registry import JobKind, job_kinds
from dunning.services import cases, settled
from dunning.services.case_steps import CASE_JOB, CHECK_JOB
from dunning.services.case_work import run_case
from dunning.services.checking import run_check
from dunning.services.collecting import LOOK_JOB

CUSTOMER_JOB = "dunning.customer"
SUBSCRIPTION_JOB = "dunning.subscription"


def register() -> None:
    job_kinds.register(JobKind(CASE_JOB, run_case, in_scope=False, max_attempts=20, is_prepared=True))
    job_kinds.register(JobKind(CHECK_JOB, run_check, in_scope=False, max_attempts=20))
    job_kinds.register(JobKind(LOOK_JOB, cases.look, max_attempts=20, is_prepared=True))
    job_kinds.register(JobKind(CUSTOMER_JOB, cases.look_at_customer))
    job_kinds.register(JobKind(SUBSCRIPTION_JOB, cases.look_at_subscription))
    signals.invoice_changed.connect(LOOK_JOB)
    signals.payment_method_changed.connect(CUSTOMER_JOB)
    signals.subscription_ended.connect(SUBSCRIPTION_JOB)
    signals.subscription_leaving.connect(SUBSCRIPTION_JOB)
    settled.register()
