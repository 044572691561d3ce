"""Writing part by part: each in one transaction with its marker, so that a rerun goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
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
    marks = [entry.data for entry in AuditEntry.objects.filter(action=MARKER).order_by("pk")]
    values = asdict(spec) | {"csms": members}
    if marks:
        former = marks[0]
        for name in ("accounts", "days", "seed", "events_per_account_day"):
            if former[name] != values[name]:
                raise OtherSimulation(f"this workspace holds a simulation with {name} = {former[name]}")
        values |= {"end": date.fromisoformat(former["end"]), "csms": former["csms"]}
    return SimulationSpec(**values), {mark["part"]: mark["rows"] for mark in marks}
