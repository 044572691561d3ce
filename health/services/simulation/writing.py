"""Writing part by part: each in one transaction with its marker, so that a rerun goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from accounts.models import AuditEntry, User, Workspace
from accounts.services.audit import audit
from cs_platform.lib.scoping import workspace_scope
from health.registry import simulator_parts
from health.services.simulation.contracts import write_invoices, write_plans, write_subscriptions
from health.services.simulation.conversations import write_tickets, write_touches
from health.services.simulation.customers import write_accounts, write_contacts
from health.services.simulation.identities import Target, csms
from health.services.simulation.usage import write_events
from health.simulation import Business, SimulationSpec, simulate

MARKER = "health.simulation.part_written"
EXTENDED = "health.simulation.extended"
Progress = Callable[[str, int, bool], None]


class OtherSimulation(ValueError):
    """The workspace already holds a simulated business of other size or seed."""


@dataclass(frozen=True)
class Written:
    """What a run did: rows per part, and the parts that were there before."""

    business: Business
    rows: dict[str, int]
    existed: list[str]


OWN_PARTS: dict[str, Callable[[Target], int]] = {
    "accounts": write_accounts,
    "contacts": write_contacts,
    "plans": write_plans,
    "subscriptions": write_subscriptions,
    "invoices": write_invoices,
    "tickets": write_tickets,
    "touches": write_touches,
    "events": write_events,
}


def write_business(
    *,
    workspace: Workspace,
    spec: SimulationSpec,
    acting_user: User | None,
    progress: Progress = lambda part, rows, existed: None,
) -> Written:
    """Simulate and write; parts that a former run of the same simulation committed stay as they are.

    Raises OtherSimulation if the workspace holds another simulated business.
    """
    with workspace_scope(workspace.pk):
        spec, done = _with_former(spec, len(csms()))
    business = simulate(spec)
    target, rows = Target(business), {}
    for part, write in all_parts().items():
        if part not in done:
            with workspace_scope(workspace.pk):
                rows[part] = write(target)
                audit(
                    MARKER,
                    acting_user=acting_user,
                    target=workspace,
                    part=part,
                    rows=rows[part],
                    **_key(spec),
                )
        progress(part, rows.get(part, done.get(part, 0)), part in done)
    return Written(business, rows, list(done))


def extend_business(*, workspace: Workspace, until: date, acting_user: User | None) -> int:
    """Tell the workspace's business on to the day before `until`, in one transaction.

    Returns the events written; 0 where no finished business is there or it has come so far already.
    """
    with workspace_scope(workspace.pk):
        marks = _marks(MARKER)
        spec = _former_spec(marks) if {mark["part"] for mark in marks} >= set(OWN_PARTS) else None
        if spec is None or until <= spec.end:
            return 0
        target = Target(simulate(spec.extended_to(until)), told_days=spec.days)
        rows = {part: write(target) for part, write in all_parts().items()}
        audit(
            EXTENDED, acting_user=acting_user, target=workspace, end=until.isoformat(), events=rows["events"]
        )
    return rows["events"]


def all_parts() -> dict[str, Callable[[Target], int]]:
    """Our own parts, then those that apps above have registered."""
    return OWN_PARTS | {part.name: part.write for part in simulator_parts}


def _key(spec: SimulationSpec) -> dict[str, Any]:
    """What must be equal for two runs to be the same simulation."""
    values = asdict(spec)
    return {name: values[name] for name in ("accounts", "days", "seed", "csms", "events_per_account_day")} | {
        "end": spec.end.isoformat()
    }


def _with_former(spec: SimulationSpec, members: int) -> tuple[SimulationSpec, dict[str, int]]:
    """The specification with the end day and CSMs of a former run, and the rows that it wrote by part."""
    marks = _marks(MARKER)
    if not marks:
        return replace(spec, csms=members), {}
    for name in ("accounts", "days", "seed", "events_per_account_day"):
        if marks[0][name] != getattr(spec, name):
            raise OtherSimulation(f"this workspace holds a simulation with {name} = {marks[0][name]}")
    return _former_spec(marks), {mark["part"]: mark["rows"] for mark in marks}


def _former_spec(marks: list[dict[str, Any]]) -> SimulationSpec:
    """What the workspace holds, told on as often as it was."""
    names = ("accounts", "days", "seed", "csms", "events_per_account_day")
    spec = SimulationSpec(end=date.fromisoformat(marks[0]["end"]), **{name: marks[0][name] for name in names})
    told_on = _marks(EXTENDED)
    return spec.extended_to(date.fromisoformat(told_on[-1]["end"])) if told_on else spec


def _marks(action: str) -> list[dict[str, Any]]:
    return [entry.data for entry in AuditEntry.objects.filter(action=action).order_by("pk")]
