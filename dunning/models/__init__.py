"""Recovery of failed payments: the policy, one case per invoice, and every step of it."""

from dunning.models.cases import BillQuestion, CaseState, DunningCase, DunningStep, RecoveredBy
from dunning.models.notices import AdvanceNotice, AdvanceNoticeKind
from dunning.models.policies import DunningPolicy, DunningPolicyVersion

__all__ = [
    "AdvanceNotice",
    "AdvanceNoticeKind",
    "BillQuestion",
    "CaseState",
    "DunningCase",
    "DunningPolicy",
    "DunningPolicyVersion",
    "DunningStep",
    "RecoveredBy",
]
