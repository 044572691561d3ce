"""One reading of the metrics: of which workspace, at which moment, for which share of the accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Workspace
from cs_platform.lib.periods import day_start
from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.shards import ALL, Shard


@dataclass(frozen=True)
class SnapshotReading:
    """What the SQL of a source may use. Facts count when they lie before the first instant of `as_of`."""

    workspace_id: int
    zone: ZoneInfo
    as_of: date
    report_currency: str
    shard: Shard = ALL
    is_rebuilt: bool = False
    params: dict[str, Any] = field(default_factory=dict)

    def mine(self, table: str = "", column: str = "account_id") -> str:
        """A condition: this workspace's rows, this shard's accounts."""
        prefix = f"{table}." if table else ""
        return f"{prefix}workspace_id = {int(self.workspace_id)} AND {self.shard.sql(prefix + column)}"

    def day(self, back: int = 0) -> str:
        """The local day `back` days before `as_of`, as a literal."""
        return f"DATE '{self.as_of - timedelta(days=back)}'"

    def instant(self, back: int = 0) -> str:
        """The first instant of that local day, as a literal."""
        return f"TIMESTAMPTZ '{day_start(self.as_of - timedelta(days=back), self.zone).isoformat()}'"

    def local_day(self, moment_sql: str) -> str:
        """The local day of a moment."""
        return f"({moment_sql} AT TIME ZONE {self.bind(str(self.zone))})::date"

    def bind(self, value: Any) -> str:
        """A placeholder for a value that is not ours."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"


def snapshot_reading(*, as_of: date, shard: Shard = ALL, is_rebuilt: bool = False) -> SnapshotReading:
    """The reading of the scope's workspace."""
    workspace = Workspace.objects.get(pk=current_workspace_id())
    return SnapshotReading(workspace.pk, workspace.zone, as_of, workspace.report_currency, shard, is_rebuilt)
