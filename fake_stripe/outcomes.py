"""What a payment method answers when it is charged: a plan by attempt, by date or by day of the month.

A plan is one of
  {"attempts": [step, …], "per": "method" | "invoice"}   the last step repeats
  {"dates": [{"until": seconds, "outcome": step}, …], "then": step}
  {"days": [{"from": 3, "to": 10, "outcome": step}, …], "else": step}   days of the month, UTC
where a step is "ok", "3ds", a decline code, or {"code": …, "advice_code": …, "network_decline_code": …, …}.
"""

from datetime import UTC, datetime
from typing import Any

from fake_stripe.declines import BLOCKED, DEBIT_CODES, DECLINE_CODES
from fake_stripe.wire import Json

Step = str | Json
SPECIAL = {"ok", "3ds", BLOCKED}


def next_step(plan: Json, *, uses: int, now: int) -> Step:
    """The step for the attempt after `uses` earlier ones, at `now`."""
    if "attempts" in plan:
        steps = plan["attempts"]
        step: Step = steps[min(uses, len(steps) - 1)]
        return step
    if "dates" in plan:
        for span in plan["dates"]:
            if now < span["until"]:
                return _step(span["outcome"])
        return _step(plan.get("then", "ok"))
    day = datetime.fromtimestamp(now, UTC).day
    for span in plan.get("days", []):
        if span.get("from", 1) <= day <= span.get("to", 31):
            return _step(span["outcome"])
    return _step(plan.get("else", "ok"))


def _step(value: Any) -> Step:
    step: Step = value
    return step


def simple_plan(outcome: str) -> Json:
    """The plan of a test card's one outcome."""
    if outcome == "3ds_setup":
        return {"attempts": ["ok"]}
    if outcome == "3ds_insufficient_funds":
        return {"attempts": ["3ds", "insufficient_funds"]}
    return {"attempts": [outcome]}


def problem_of(plan: Any) -> str:
    """What is wrong with a plan given through the control API; empty if nothing is."""
    if not isinstance(plan, dict) or not any(name in plan for name in ("attempts", "dates", "days")):
        return "a plan has attempts, dates or days"
    steps = [*plan.get("attempts", [])]
    steps += [span.get("outcome") for name in ("dates", "days") for span in plan.get(name, [])]
    steps += [plan[name] for name in ("then", "else") if name in plan]
    for step in steps:
        code = step.get("code") if isinstance(step, dict) else step
        if code not in DECLINE_CODES | SPECIAL | DEBIT_CODES:
            return f"unknown outcome {step!r}"
    return "" if steps else "the plan is empty"
