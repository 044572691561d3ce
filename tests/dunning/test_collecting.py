"""Nothing is charged and nobody is written to before a person has started it, having seen what waits."""

from datetime import timedelta

import pytest
import time_machine

from accounts.models import Job
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase, DunningPolicy
from dunning.services.cases import look_at_invoice
from dunning.services.collecting import LOOK_JOB, start_collecting
from tests.accounts.web import web
from tests.builders import NOW, make_account
from tests.dunning.builders import make_invoice


@pytest.fixture
def off(cast):
    with workspace_scope(cast.workspace.pk):
        DunningPolicy.objects.update(collecting_since=None)
        invoice = make_invoice(make_account("Northwind"), failed_at=NOW - timedelta(days=3))
    with time_machine.travel(NOW, tick=False):
        yield invoice


def test_a_new_workspace_collects_nothing(cast, off):
    with workspace_scope(cast.workspace.pk):
        assert look_at_invoice(off.pk, now=NOW) is None
        assert not DunningCase.objects.exists()
    page = web(cast.ada).get("/dunning/").content.decode()
    assert "Collecting is off." in page


def test_the_page_names_what_would_be_taken_up(cast, off):
    page = web(cast.ada).get("/dunning/collecting/").content.decode()
    assert "Northwind" in page and "$100" in page and "Also the 1 that waits" in page


def test_only_what_fails_from_now_on(cast, off):
    web(cast.ada).post("/dunning/collecting/start/", {"which": "new", "workspace": cast.workspace.public_id})
    with workspace_scope(cast.workspace.pk):
        assert look_at_invoice(off.pk, now=NOW) is None
        fresh = make_invoice(make_account("Southwind"), failed_at=NOW + timedelta(minutes=1))
        assert look_at_invoice(fresh.pk, now=NOW + timedelta(minutes=2)) is not None


def test_with_what_waits_and_once_only(cast, off):
    with workspace_scope(cast.workspace.pk):
        assert start_collecting(with_waiting=True, acting_user=cast.ada, now=NOW) == 1
        assert start_collecting(with_waiting=True, acting_user=cast.ada, now=NOW) == 0
        assert Job.objects.filter(kind=LOOK_JOB, object_id=off.pk).exists()
        assert look_at_invoice(off.pk, now=NOW) is not None


def test_stopping_opens_no_new_case(cast, off):
    with workspace_scope(cast.workspace.pk):
        start_collecting(with_waiting=False, acting_user=cast.ada, now=NOW)
    web(cast.ada).post("/dunning/collecting/stop/", {"workspace": cast.workspace.public_id})
    with workspace_scope(cast.workspace.pk):
        later = make_invoice(make_account("Eastwind"), failed_at=NOW + timedelta(hours=1))
        assert look_at_invoice(later.pk, now=NOW + timedelta(hours=2)) is None


def test_a_csm_may_not_decide_it(cast, off):
    assert web(cast.ben.user).get("/dunning/collecting/").status_code == 403
