"""An import is taken back as one act."""

import pytest
from django.apps import apps
from django.utils import timezone

from accounts.models import (
    Account,
    AccountTrait,
    AuditEntry,
    Import,
    Invoice,
    MrrMovement,
    Note,
    PaymentAttempt,
    Plan,
    Subscription,
    SubscriptionChange,
    TraitDefinition,
)
from accounts.models.base import WorkspaceModel
from accounts.services.import_undo import UndoRefused, undo_import
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.imports.files import counts

SUBSCRIPTIONS = "external_id,account,plan,mrr,started_at,ended_at\n"
# What stays of an import that was undone: its own record.
RECORDS = {"Import", "ImportChange", "ImportReject", "AuditEntry", "AuditHead"}


@pytest.fixture(autouse=True)
def _scope(bring):
    with workspace_scope(bring.workspace.pk):
        yield


def undo(outcome):
    return undo_import(source_import=outcome.source_import, acting_user=None, now=timezone.now())


def left(*models):
    return sum(model.objects.count() for model in models)


def everything():
    """All rows of all tables of the workspace, without ids and times of writing."""
    return {
        model.__name__: sorted(str(_plain(row)) for row in model.objects.all())
        for model in apps.get_models()
        if issubclass(model, WorkspaceModel)
        and model._meta.app_label == "accounts"
        and model.__name__ not in RECORDS
    }


def _plain(row):
    hidden = {"id", "public_id", "added_at", "updated_at", "workspace_id", "source_import_id"}
    return {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.attname not in hidden}


FILES = [
    ("accounts", "external_id,name,seats\na,Alpha,5\nb,Beta,6\n"),
    ("accounts", "external_id,name,seats,tier\na,Alpha Ltd,8,Pro\nc,Gamma,1,Basic\n"),
    ("contacts", "account,email,name\na,mina@example.com,Mina\n"),
    ("subscriptions", SUBSCRIPTIONS + "s,a,Pro,10,2020-01-01,\nt,a,Team,20,2021-01-01,\n"),
    ("subscriptions", SUBSCRIPTIONS + "s,a,Max,15,2020-02-01,\nt,a,Team,20,2021-01-01,2022-01-01\n"),
    ("subscriptions", SUBSCRIPTIONS + "t,a,Team,25,2021-02-01,2022-01-01\n"),
    ("tickets", "external_id,account,opened_at\nt1,a,2024-01-01\n"),
    ("tickets", "external_id,account,opened_at,closed_at\nt1,a,2024-01-01,2024-01-02\n"),
    ("invoices", "external_id,account,amount,due_at,attempts\ni,a,10,2024-01-01,2\n"),
    (
        "invoices",
        "external_id,account,amount,due_at,paid_at,attempts,status\ni,a,10,2024-01-01,2024-02-01,3,paid\n",
    ),
    ("cancellations", "account,occurred_at,reason,comment\na,2023-05-01,pricing,Bye\n"),
    ("accounts", "external_id,seats\na,eight\n"),
]


def test_undoing_in_reverse_leads_back_step_by_step(bring):
    states, outcomes = [], []
    for kind, text in FILES:
        states.append(everything())
        outcomes.append(bring(kind, text))
        assert everything() != states[-1]
    # The last file turned a number into text; its values go, the wider type stays.
    undo(outcomes.pop())
    states.pop()
    while outcomes:
        undo(outcomes.pop())
        left = everything()
        expected = states.pop()
        for name in ("TraitDefinition", "AccountTrait"):
            left.pop(name), expected.pop(name)
        assert left == expected
    assert not Account.objects.exists()
    assert not TraitDefinition.objects.exists()
    assert not Plan.objects.exists()
    assert not AccountTrait.objects.exists()
    assert set(Import.objects.values_list("status", flat=True)) == {Import.Status.UNDONE}
    assert AuditEntry.objects.filter(action="accounts.import.undone").count() == len(FILES)


def test_what_changed_since_keeps_the_newer_value(bring):
    bring("accounts", "external_id,name,industry\na,Alpha,Retail\n")
    outcome = bring("accounts", "external_id,name,industry\na,Alpha Ltd,Banking\n")
    Account.objects.update(name="Renamed by hand")
    report = undo(outcome)
    row = Account.objects.get()
    assert (row.name, row.industry) == ("Renamed by hand", "Retail")
    assert report.kept == {"changed_since": 1}
    assert report.restored == {"account": 1}


def test_accounts_with_notes_stay(bring, cast):
    outcome = bring("accounts", "external_id\na\nb\n")
    account = Account.objects.get(external_id="a")
    Note.objects.create(account=account, author=cast.ada, body="Called", created_at=timezone.now())
    report = undo(outcome)
    assert list(Account.objects.values_list("external_id", flat=True)) == ["a"]
    assert report.as_json() == {"removed": {"account": 1}, "restored": {}, "kept": {"has_notes": 1}}


def test_an_import_that_later_ones_build_on_is_not_undone(bring):
    first = bring("accounts", "external_id\na\n")
    second = bring("subscriptions", SUBSCRIPTIONS + "s,a,Pro,10,2024-01-01,\n")
    third = bring("subscriptions", SUBSCRIPTIONS + "s,a,Pro,12,2024-01-01,\n")
    for outcome, blockers in ((first, [third, second]), (second, [third])):
        with pytest.raises(UndoRefused) as caught:
            undo(outcome)
        assert caught.value.blockers == [b.source_import for b in blockers]
    for outcome in (third, second, first):
        undo(outcome)
    with pytest.raises(UndoRefused) as caught:
        undo(first)
    assert caught.value.code == "already_undone"


def test_after_an_undo_the_same_file_comes_in_again(bring):
    text = SUBSCRIPTIONS + "s,a,Pro,10,2024-01-01,\n"
    bring("accounts", "external_id\na\n")
    undo(bring("subscriptions", text))
    assert left(Subscription, SubscriptionChange, MrrMovement) == 0
    assert counts(bring("subscriptions", text)) == (1, 0, 0, 0)
    undo(bring("invoices", "external_id,account,amount,due_at,attempts\ni,a,10,2024-01-01,2\n"))
    assert left(Invoice, PaymentAttempt) == 0


def test_an_undo_in_the_middle_of_a_run_stops_it(bring):
    from accounts.imports.mapping import ImportOptions
    from accounts.imports.problems import FileProblem
    from accounts.services.imports import prepare_file, run_import

    path = bring.file("external_id\n" + "".join(f"a{n}\n" for n in range(3000)))
    prepared = prepare_file(workspace=bring.workspace, kind="accounts", path=path, options=ImportOptions())

    def meddle(done, total):
        undo_import(source_import=Import.objects.get(), acting_user=None, now=timezone.now())

    with pytest.raises(FileProblem) as caught:
        run_import(workspace=bring.workspace, prepared=prepared, acting_user=None, progress=meddle)
    assert caught.value.code == "was_undone"
    assert not Account.objects.exists()
    assert Import.objects.get().status == Import.Status.UNDONE
