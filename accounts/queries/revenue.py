"""The billing mirror's movements as a ledger that all reports on revenue are computed from."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from accounts.models import Workspace
from accounts.queries.currency import dated_rates
from accounts.revenue.ledger import Ledger
from cs_platform.lib.arrays import read_arrays

# A currency code as one number, so that every value has a fixed width.
_CODE = "ascii(substr(currency, 1, 1)) * 65536 + ascii(substr(currency, 2, 1)) * 256 + ascii(substr(currency, 3, 1))"
_MOVEMENTS = f"""
SELECT account_id, {_CODE}, occurred_at, mrr_before_minor, mrr_after_minor
FROM accounts_mrrmovement
WHERE workspace_id = %(workspace)s AND occurred_at < %(now)s
"""


def read_ledger(workspace: Workspace, *, now: datetime) -> Ledger:
    """All movements before `now`; an end that lies ahead has not happened. Two queries."""
    account, code, at, before, after = read_arrays(
        _MOVEMENTS, {"workspace": workspace.pk, "now": now}, ("i8", "i4", "at", "i8", "i8")
    )
    # The codes order as the currencies do, as text of plain letters.
    order = np.lexsort((at, code, account))
    codes, currency = np.unique(code[order], return_inverse=True)
    return Ledger(
        account_ids=account[order],
        currency=currency.astype(np.int64),
        at=at[order],
        before=before[order],
        after=after[order],
        currencies=tuple(_name(int(code)) for code in codes),
        rates=dated_rates(workspace),
    )


def _name(code: int) -> str:
    return bytes((code >> 16, code >> 8 & 255, code & 255)).decode("ascii")
