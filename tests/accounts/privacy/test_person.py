"""One person, planted in every table: all of it is exported, none of it survives the erasure."""

import io
import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection

from accounts.models import (
    Account,
    Activity,
    Contact,
    ErasedIdentity,
    Import,
    ImportChange,
    ImportReject,
    Note,
    OutboundEmail,
    PersonRequest,
    StoredFile,
    Ticket,
)
from accounts.models.base import WorkspaceModel
from accounts.services.jobs import run_due_jobs
from accounts.services.person_erasure import erase, request_erasure
from accounts.services.person_export import collect, request_person_export
from accounts.services.persons import person_of
from accounts.services.stored_files import pieces, store_file
from cs_platform.lib.scoping import workspace_scope
from health.intake.protocol import AliasFact, ContactFact
from health.intake.rows import EventRow
from health.models import AccountDay, Event, UserAlias
from health.services.events import store_events
from health.services.fold import fold_workspace
from health.services.identities import Identities, apply_identities
from health.services.intake import accept
from tests.builders import NOW, make_account, make_contact

NAME, EMAIL, KEY, OTHER_KEY = (
    "Mina Zqmarker",
    "mina.zqmarker@example.org",
    "usr-zqmarker-1",
    "anon-zqmarker-2",
)
MARKER = "zqmarker"


@pytest.fixture
def mina(scope):
    """Mina at Northwind, with a trace of her in every kind of row; a colleague's rows mention her."""
    account = make_account("Northwind")
    contact = make_contact(account, NAME, email=EMAIL, external_id=KEY, traits={"phone": f"+1 {MARKER}"})
    colleague = make_contact(account, "Jo Park")
    UserAlias.objects.create(key=OTHER_KEY, user_key=KEY)
    rows = [
        EventRow(NOW, "Login", f"m{number}", key, "northwind", 1.0, {"mail": EMAIL})
        for number, key in enumerate((KEY, OTHER_KEY))
    ]
    rows.append(
        EventRow(NOW, "Shared", "m9", colleague.external_id, "northwind", 1.0, {"with": EMAIL.upper()})
    )
    store_events(rows, received_at=NOW, source="http")
    Note.objects.create(account=account, body=f"Call {NAME} <{EMAIL}> on Monday.", created_at=NOW)
    Activity.objects.create(
        account=account, contact=contact, kind="call", body=f"{NAME} said", occurred_at=NOW
    )
    Ticket.objects.create(
        account=account,
        contact=contact,
        external_id="t1",
        subject=f"Help {NAME}",
        opened_at=NOW,
        properties={"cc": EMAIL},
    )
    OutboundEmail.objects.create(
        kind="accounts.invitation", contact=contact, to_address=EMAIL, context={"name": NAME}
    )
    source = Import.objects.create(kind="contacts")
    ImportChange.objects.create(
        source_import=source,
        table="accounts_contact",
        object_id=contact.pk,
        before={"email": EMAIL},
        after={"name": NAME},
    )
    ImportReject.objects.create(source_import=source, line=2, reason="not_a_date", detail={"value": EMAIL})
    store_file(
        stream=io.BytesIO(b"x" * (1 << 20) + f"id,email\n1,{EMAIL}\n".encode()),
        name="contacts.csv",
        content_type="text/csv",
        expires_at=NOW + timedelta(days=14),
    )
    return contact


def everything():
    """Every row of every workspace table as one text, as the database has it."""
    texts = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if issubclass(model, WorkspaceModel):
                cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" t')
                texts += [row[0] for row in cursor.fetchall()]
    files = b"".join(b"".join(pieces(file)) for file in StoredFile.objects.all())
    return "\n".join(texts).lower() + files.decode(errors="replace").lower()


def test_the_export_has_a_row_of_every_table_that_knows_her(mina):
    found = collect(person_of(mina))
    assert {OTHER_KEY, KEY} <= set(found["keys"])
    assert set(found["tables"]) >= {
        "accounts.contact",
        "accounts.note",
        "accounts.activity",
        "accounts.ticket",
        "accounts.outboundemail",
        "accounts.importchange",
        "accounts.importreject",
        "health.event",
        "health.useralias",
    }
    text = json.dumps(found, default=str)
    assert all(marker in text for marker in (NAME, EMAIL, KEY, OTHER_KEY, f"+1 {MARKER}"))
    assert "address_hash" not in text, "digests of the platform are nobody's personal data"


def test_after_the_erasure_nothing_names_her(mina):
    assert MARKER in everything()
    before = (Event.objects.count(), Contact.objects.count(), Ticket.objects.count())
    counts = erase(contact=mina, now=NOW)
    assert MARKER not in everything()
    assert (Event.objects.count(), Contact.objects.count(), Ticket.objects.count()) == before
    assert counts["health.event"] >= 3 and counts["accounts.storedfile"] == 1
    assert Contact.objects.get(pk=mina.pk).external_id.startswith("erased-")
    assert "Call [erased] <[erased]> on Monday." in Note.objects.get().body


def test_others_keep_their_words(mina):
    account = Account.objects.get()
    kept = make_contact(account, "Ann Lee", email=f"jo{EMAIL}", external_id=f"{KEY}0")
    Note.objects.create(account=account, body=f"jo{EMAIL} is somebody else", created_at=NOW)
    erase(contact=mina, now=NOW)
    kept.refresh_from_db()
    assert (kept.email, kept.external_id) == (f"jo{EMAIL}", f"{KEY}0")
    assert Note.objects.filter(body__contains=f"jo{EMAIL}").exists()


def test_a_replay_does_not_bring_her_back(cast, mina):
    erase(contact=mina, now=NOW)
    people = Contact.objects.count()
    later = NOW + timedelta(hours=1)
    rows = [
        EventRow(later, "Login", f"r{key}", key, "northwind", 1.0, {"mail": EMAIL})
        for key in (KEY, OTHER_KEY)
    ]
    store_events(rows, received_at=later, source="import")
    apply_facts(cast, later)
    fold_workspace(cast.workspace.pk)
    assert Contact.objects.count() == people
    assert MARKER not in everything()
    assert AccountDay.objects.get().events == 5, "counts stay right"


def apply_facts(cast, at):
    facts = [
        ContactFact(KEY, "northwind", at, {"email": EMAIL, "name": NAME}),
        ContactFact("usr-new", "northwind", at, {"email": EMAIL, "name": NAME}),
        AliasFact("usr-fresh", OTHER_KEY),
    ]
    accept(cast.workspace.pk, facts, received_at=at)


def test_another_persons_facts_still_come_in(scope, mina):
    erase(contact=mina, now=NOW)
    apply_identities(Identities([ContactFact("usr-else", "northwind", NOW, {"email": "else@example.org"})]))
    assert Contact.objects.filter(external_id="usr-else").exists()


def test_only_a_keyed_hash_stays(mina):
    erase(contact=mina, now=NOW)
    rows = [bytes(row.digest) for row in ErasedIdentity.objects.all()]
    assert rows and all(len(row) == 32 for row in rows)


def test_both_run_as_jobs_and_keep_no_personal_data_themselves(cast):
    with workspace_scope(cast.workspace.pk):
        contact = make_contact(make_account("Northwind"), NAME, email=EMAIL)
        request_person_export(contact=contact, acting_user=cast.ada, now=NOW)
        run = PersonRequest.objects.get()
    run_due_jobs(limit=5, kind="accounts.export_person")
    with workspace_scope(cast.workspace.pk):
        run.refresh_from_db()
        assert run.status == "done"
        assert EMAIL in b"".join(pieces(run.file)).decode()
        request_erasure(contact=contact, acting_user=cast.ada, now=NOW)
        request_erasure(contact=contact, acting_user=cast.ada, now=NOW)
        assert PersonRequest.objects.filter(kind="erasure").count() == 1
    run_due_jobs(limit=5, kind="accounts.erase_person")
    with workspace_scope(cast.workspace.pk):
        assert PersonRequest.objects.get(kind="erasure").status == "done"
        assert MARKER not in everything(), "the copy that was made before is gone too"
