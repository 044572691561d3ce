"""The billing mirror's movements as a ledger that all reports on revenue are computed from."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from accounts.models import Workspace
from accounts.queries.currency import dated_rates
from accounts.revenue.ledger import Ledger
from cs_platform.lib.arrays import native, read_columns

# A currency code as one number, so that every column of the COPY has a fixed width.
_CODE = "ascii(substr(currency, 1, 1)) * 65536 + ascii(substr(currency, 2, 1)) * 256 + ascii(substr(currency, 3, 1))"
_MOVEMENTS = f"""
SELECT account_id, {_CODE}, (extract(epoch FROM occurred_at) * 1000000)::bigint, mrr_before_minor, mrr_after_minor
FROM accounts_mrrmovement
WHERE workspace_id = %(workspace)s AND occurred_at < %(now)s
ORDER BY account_id, currency COLLATE "C", occurred_at
"""


def read_ledger(workspace: Workspace, *, now: datetime) -> Ledger:
    """All movements before `now`; an end that lies ahead has not happened. Two queries."""
    rows = read_columns(
        _MOVEMENTS, {"workspace": workspace.pk, "now": now}, ("i8", "i4", "i8", "i8", "i8"), has_joins=False
    )
    codes, currency = np.unique(native(rows["c1"], "i4"), return_inverse=True)
    return Ledger(
        account_ids=native(rows["c0"], "i8"),
        currency=currency.astype(np.int64),
        at=native(rows["c2"], "i8"),
        before=native(rows["c3"], "i8"),
        after=native(rows["c4"], "i8"),
        currencies=tuple(_name(int(code)) for code in codes),
        rates=dated_rates(workspace),
    )


def _name(code: int) -> str:
    return bytes((code >> 16, code >> 8 & 255, code & 255)).decode("ascii")
