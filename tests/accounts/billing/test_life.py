"""One customer's life while messages of it come late, twice and in any order: the mirror ends as Stripe says."""

import json
import random

import pytest
from django.utils import timezone

from accounts.models import Account, BillingConnection, BillingMessage, BillingSync
from accounts.services.billing_inbox import store
from accounts.services.billing_syncs import begin_sync
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.conftest import connect
from tests.accounts.billing.flood import drain, events_of
from tests.accounts.billing.lives import DAY, Life, whole_state
from tests.accounts.billing.test_flood import empty

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = 12
# Lives that found planted bugs: terms changed unread before an end, a customer's discount, invoices of who moved.
CHOSEN = (3838591282, 1283288560, 1200367645)


@pytest.mark.parametrize(
    "lives", [len(CHOSEN), pytest.param(400, marks=pytest.mark.soak)], ids=["quick", "long"]
)
def test_late_messages_while_life_goes_on(cast, stripe_address, lives):
    seeds = random.Random()
    connect(cast)
    witness = connect(cast, workspace=cast.other)
    told_in_all = steps_in_all = 0
    for number in range(lives):
        seed = CHOSEN[number] if lives == len(CHOSEN) else seeds.randrange(2**32)
        told, steps, wrong = live(cast, stripe_address, witness, random.Random(seed))
        assert wrong == {}, seed
        told_in_all, steps_in_all = told_in_all + told, steps_in_all + steps
    print(f"{lives} lives, {steps_in_all} steps, {told_in_all} messages, all end as Stripe says")


def live(cast, fake, witness: BillingConnection, chance: random.Random) -> tuple[int, int, dict]:
    """One life in one workspace; the other one reads its end afresh and must say the same. Returns how many messages
    were told in how many steps, and what is wrong at the end."""
    fake.reset()
    for workspace in (cast.workspace, cast.other):
        empty(workspace)
        with workspace_scope(workspace.pk):
            for key in ("a-1", "a-2"):  # a customer goes to another account that is known; it makes none
                Account.objects.get_or_create(external_id=key, defaults={"created_at": timezone.now()})
    is_past = chance.random() < 0.5  # messages that are days old when they are worked on
    # The clock stands between the steps: nothing may happen after the last message was told.
    fake.freeze(int(timezone.now().timestamp()) - (100 * DAY if is_past else 100))
    life, told, names = Life(fake, chance), set(), []
    for _ in range(STEPS):
        tell(cast.workspace, events_of(fake), told, chance, share=0.5)
        names.append(life.step())
        fake.advance(seconds=5, hours=chance.choice([0, 0, 1, 30, 7 * 24]) if is_past else 0)
    tell(cast.workspace, events_of(fake), told, chance, share=1.0)
    drain()
    with workspace_scope(cast.other.pk):
        begin_sync(witness, BillingSync.Kind.FIRST, now=timezone.now())
    drain()
    mine, theirs = (
        whole_state(workspace, is_discounted=life.is_discounted) for workspace in (cast.workspace, cast.other)
    )
    wrong = {name: (rows, theirs[name], names) for name, rows in mine.items() if rows != theirs[name]}
    with workspace_scope(cast.workspace.pk):
        left = BillingMessage.objects.filter(processed_at__isnull=True)
        if rows := list(left.values_list("message_type", "object_id", "failures", "last_error")):
            wrong["not worked on"] = rows
    return len(told), STEPS, wrong


def tell(workspace, events, told: set[str], chance: random.Random, *, share: float) -> None:
    """Deliver some of what was not told yet, some of it twice, shuffled; now and then somebody works on it."""
    late = [event for event in events if event["id"] not in told]
    chosen = [event for event in late if share == 1.0 or chance.random() < share]
    again = [event for event in events if chance.random() < 0.1]
    chance.shuffle(chosen)
    for event in chosen + again:
        with workspace_scope(workspace.pk):
            store(event, body=json.dumps(event).encode(), received_at=database_now())
        told.add(event["id"])
        if chance.random() < 0.2:
            drain()
