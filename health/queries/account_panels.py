"""What the parts of the account page show of its health: reasons, score, history, usage."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Account
from cs_platform.lib.periods import local_day
from health.queries.account_history import score_history, usage_history
from health.queries.account_risk import account_risk
from health.queries.account_score import score_breakdown


def risk_panel(account: Account, now: datetime) -> dict[str, Any]:
    return {"risk": account_risk(account, today=local_day(now, account.workspace.zone))}


def score_panel(account: Account, now: datetime) -> dict[str, Any]:
    return {"breakdown": score_breakdown(account, account.workspace.report_currency)}


def history_panel(account: Account, now: datetime) -> dict[str, Any]:
    return {"points": score_history(account, today=local_day(now, account.workspace.zone))}


def usage_panel(account: Account, now: datetime) -> dict[str, Any]:
    return {"days": usage_history(account, today=local_day(now, account.workspace.zone))}
