"""People and companies over HTTP: who is whom, whatever comes first."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import Account, AccountTrait, Contact
from cs_platform.lib.scoping import workspace_scope
from health.models import AccountDay, Event, UserAlias, WaitingIdentity
from health.services.fold import fold_pending
from tests.conftest import Cast
from tests.health.intake.messages import track


class TestIdentities:
    def test_identify_before_group_loses_nothing(self, cast: Cast, send: Any) -> None:
        traits = {
            "email": "Ann@Acme.test",
            "firstName": "Ann",
            "lastName": "Lee",
            "title": "CFO",
            "locale": "ko-KR",
            "seats": 3,
        }
        send("track", track())
        send("identify", {"userId": "u1", "traits": traits})
        with workspace_scope(cast.workspace.pk):
            assert (Contact.objects.count(), WaitingIdentity.objects.count()) == (0, 1)
        send("group", {"userId": "u1", "groupId": "acme", "traits": {"name": "Acme Inc", "plan": "pro"}})
        with workspace_scope(cast.workspace.pk):
            ann = Contact.objects.get()
            assert (ann.external_id, ann.email, ann.name, ann.role) == (
                "u1",
                "ann@acme.test",
                "Ann Lee",
                "CFO",
            )
            assert (ann.language, ann.traits, ann.account.name) == ("ko", {"seats": 3}, "Acme Inc")
            assert not WaitingIdentity.objects.exists()
            fold_pending()
            assert AccountDay.objects.get().active_contacts == 1
            assert Event.objects.get().contact_id == ann.pk

    def test_a_waiting_person_becomes_a_contact_when_the_account_comes_another_way(
        self, cast: Cast, send: Any
    ) -> None:
        send("identify", {"userId": "u1", "traits": {"company": {"id": "acme"}, "name": "Ann"}})
        with workspace_scope(cast.workspace.pk):
            Account.objects.create(external_id="acme", name="Acme", created_at=timezone.now())
            fold_pending()
            assert Contact.objects.get().name == "Ann"

    def test_identify_updates_and_keeps_what_it_does_not_say(self, cast: Cast, send: Any) -> None:
        send("group", {"userId": "u1", "groupId": "acme"})
        send("identify", {"userId": "u1", "traits": {"name": "Ann", "role": "admin", "a": 1}})
        send(
            "identify",
            {"userId": "u1", "context": {"groupId": "other"}, "traits": {"role": "billing", "b": 2}},
        )
        with workspace_scope(cast.workspace.pk):
            ann = Contact.objects.get()
            assert (ann.name, ann.role, ann.traits, ann.account.external_id) == (
                "Ann",
                "billing",
                {"a": 1, "b": 2},
                "acme",
            )

    def test_a_contact_known_by_mail_is_not_made_twice(self, cast: Cast, send: Any) -> None:
        with workspace_scope(cast.workspace.pk):
            acme = Account.objects.create(external_id="acme", name="Acme", created_at=timezone.now())
            Contact.objects.create(
                account=acme, external_id="crm-1", email="ann@acme.test", created_at=timezone.now()
            )
        send("identify", {"userId": "u1", "traits": {"email": "ann@acme.test", "name": "Ann"}})
        send("track", track())
        with workspace_scope(cast.workspace.pk):
            assert Contact.objects.get().name == "Ann"
            assert Event.objects.get().account_id == acme.pk

    def test_group_traits_are_typed_and_dated(self, cast: Cast, send: Any) -> None:
        for day, seats in ((1, 10), (5, 12), (5, 12)):
            traits = {
                "name": "Acme",
                "website": "https://www.Acme.test/x",
                "address": {"country": "KR"},
                "seats": seats,
                "beta": True,
                "signed": "2025-01-02",
                "tier": "gold",
                "skipped": [1],
            }
            send("group", {"groupId": "acme", "timestamp": f"2026-11-0{day}T00:00:00Z", "traits": traits})
        with workspace_scope(cast.workspace.pk):
            acme = Account.objects.get()
            assert (acme.domain, acme.country, acme.created_at.day) == ("acme.test", "KR", 1)
            rows = AccountTrait.objects.order_by("definition__key", "known_at")
            assert list(
                rows.values_list("definition__key", "definition__kind", "value_text", "value_number")
            ) == [
                ("beta", "boolean", "true", 1.0),
                ("seats", "number", "10", 10.0),
                ("seats", "number", "12", 12.0),
                ("signed", "date", "2025-01-02", 20090.0),
                ("tier", "text", "gold", None),
            ]

    def test_alias_remembers_the_other_key(self, cast: Cast, send: Any) -> None:
        send("group", {"userId": "u1", "groupId": "acme"})
        send("track", track(anonymousId="anon", userId=None))
        send("alias", {"previousId": "anon", "userId": "u1"})
        send("alias", {"previousId": "older", "userId": "anon"})
        send("alias", {"previousId": "u1", "userId": "older"})
        with workspace_scope(cast.workspace.pk):
            assert set(UserAlias.objects.values_list("key", "user_key")) == {("anon", "u1"), ("older", "u1")}
            fold_pending()
            assert Event.objects.get().contact_id == Contact.objects.get().pk
