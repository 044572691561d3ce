"""History that cannot be changed unseen."""

import pytest

from accounts.models import AuditEntry
from accounts.services.audit import audit, verify_audit_log
from tests.stack import STACK

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_untouched_log_verifies(scope):
    for number in range(3):
        audit("test.thing.done", acting_user=None, number=number)
    assert verify_audit_log() is None


@pytest.mark.parametrize(
    "statement", ["UPDATE {t} SET action = 'x' WHERE id = %s", "DELETE FROM {t} WHERE id = %s"]
)
def test_an_edit_or_a_removal_is_found(cast, statement):
    from cs_platform.lib.scoping import workspace_scope

    with workspace_scope(cast.workspace.pk):
        entries = [audit("test.thing.done", acting_user=None, number=n) for n in range(4)]
    with STACK.postgres.connect() as superuser:
        superuser.execute(statement.format(t=AuditEntry._meta.db_table), [entries[1].pk])
        superuser.commit()
    with workspace_scope(cast.workspace.pk):
        assert verify_audit_log() == (entries[1].pk if "UPDATE" in statement else entries[2].pk)
