"""The demo workspace: its people first, so that the pages open, then a simulated year, scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import AuditEntry, Role, User, Workspace
from accounts.services.audit import audit
from accounts.services.workspaces import add_member, create_workspace
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import workspace_scope
from health.services.demo_imports import write_demo_imports
from health.services.demo_look import dress_demo
from health.services.demo_mail import write_demo_mail
from health.services.fold import fold_workspace
from health.services.predictions import train
from health.services.simulation.writing import extend_business, write_business
from health.services.snapshots import rebuild_days
from health.services.training import build_history
from health.simulation import SimulationSpec

SLUG = "demo"
COMPLETED = "health.demo.completed"
HISTORY_WEEKS = 26
EVENTS_PER_DAY = 3.3
Say = Callable[[str], None]


@dataclass(frozen=True)
class DemoUser:
    """A person of the vendor; those with `signs_in` get a password."""

    name: str
    handle: str
    role: str
    signs_in: bool = False

    @property
    def email(self) -> str:
        return f"{self.handle}@demo.example"

    @property
    def password(self) -> str:
        """The same at every start of this installation, different on every other one."""
        return salted_hmac("health.demo.password", self.email).hexdigest()[:12]


PEOPLE = (
    DemoUser("Ada Okafor", "owner", Role.OWNER, signs_in=True),
    DemoUser("Noor Lindgren", "admin", Role.ADMIN, signs_in=True),
    DemoUser("Ben Castell", "csm", Role.CSM, signs_in=True),
    DemoUser("Mira Holm", "mira", Role.CSM),
    DemoUser("Joon Park", "joon", Role.CSM),
    DemoUser("Elias Brandt", "elias", Role.CSM),
    DemoUser("Tess Naylor", "tess", Role.CSM),
    DemoUser("Sora Kang", "sora", Role.CSM),
    DemoUser("Vera Quist", "viewer", Role.VIEWER, signs_in=True),
)


def logins() -> list[DemoUser]:
    """Who can sign in."""
    return [person for person in PEOPLE if person.signs_in]


@transaction.atomic
def prepare_demo_workspace() -> Workspace:
    """The demo workspace with its people; what is there stays as it is."""
    workspace: Workspace | None = Workspace.objects.filter(slug=SLUG).first()
    users = {person: _user(person) for person in PEOPLE}
    if workspace is None:
        workspace = create_workspace(
            slug=SLUG, name="Tidemark Software", owner=users[PEOPLE[0]], acting_user=None
        )
        with workspace_scope(workspace.pk):
            for person, user in users.items():
                add_member(user=user, role=person.role, acting_user=None)
            dress_demo(acting_user=users[PEOPLE[0]], now=timezone.now())
    return workspace


def _user(person: DemoUser) -> User:
    user = User.objects.filter(email=person.email).first()
    if user is None:
        password = person.password if person.signs_in else None
        user = User.objects.create_user(person.email, password, name=person.name)
        EmailAddress.objects.create(user=user, email=person.email, verified=True, primary=True)
    return user


def is_complete(workspace: Workspace) -> bool:
    """Whether an earlier start has brought the demo to its end."""
    with workspace_scope(workspace.pk):
        return AuditEntry.objects.filter(action=COMPLETED).exists()


def write_year(
    workspace: Workspace, *, now: datetime, say: Say, accounts: int = 500, days: int = 365
) -> date:
    """Simulate and fold; returns the `as_of` after it. Goes on where a killed run stopped."""
    end = local_day(now, workspace.zone)
    spec = SimulationSpec(end=end, accounts=accounts, days=days, events_per_account_day=EVENTS_PER_DAY)
    written = write_business(
        workspace=workspace,
        spec=spec,
        acting_user=None,
        progress=lambda part, rows, existed: say(
            f"{part}: {rows} rows{' (there already)' if existed else ''}"
        ),
    )
    say(f"fold: {fold_workspace(workspace.pk)} account days")
    with workspace_scope(workspace.pk):
        say(f"mails: {write_demo_mail(now=now)}")
    admin = User.objects.get(email=PEOPLE[1].email)
    say(f"imports: {write_demo_imports(workspace, admin=admin, now=now)} people")
    return written.business.spec.end


def learn(workspace: Workspace, as_of: date, *, say: Say) -> None:
    """Train the churn model, and score the last half year weekly for charts and sparklines."""
    with workspace_scope(workspace.pk):
        version = train(as_of=as_of, horizon_days=workspace.horizon_days, acting_user=None)
        reason = version.record.get("reason_code")
        say(f"churn model: {'live' if version.is_eligible else 'not live'} ({reason})")
    _build_recent_history(workspace, as_of, say)


def _build_recent_history(workspace: Workspace, end: date, say: Say) -> None:
    weeks = rebuild_days(end - timedelta(weeks=HISTORY_WEEKS), end - timedelta(days=7))
    for week in weeks:
        with workspace_scope(workspace.pk):
            build_history([week])
    say(f"history: {len(weeks)} weeks")


def continue_demo(*, now: datetime) -> int:
    """Tell a complete demo on to the running day, so that its customers do not fall silent; returns the events."""
    workspace = Workspace.objects.filter(slug=SLUG).first()
    if workspace is None or not is_complete(workspace):
        return 0
    return extend_business(workspace=workspace, until=local_day(now, workspace.zone), acting_user=None)


def mark_complete(workspace: Workspace) -> None:
    """Remember that nothing is left to do at the next start."""
    with workspace_scope(workspace.pk):
        audit(COMPLETED, acting_user=None, target=workspace)
