"""A share of the accounts, so that a stage runs on any number of workers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """Accounts whose id leaves `index` when divided by `count`, or `only` these; the default is all of them."""

    index: int = 0
    count: int = 1
    only: tuple[int, ...] = ()

    def sql(self, column: str) -> str:
        """A condition over the account's id column; both numbers are integers of ours.

        No % operator: in a statement with parameters it would begin a placeholder.
        """
        if self.only:
            return f"{column} IN ({', '.join(str(int(one)) for one in self.only)})"
        return "true" if self.count == 1 else f"mod({column}, {int(self.count)}) = {int(self.index)}"


ALL = Shard()
