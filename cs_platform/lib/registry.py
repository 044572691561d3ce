"""Registries: declared by a lower app, filled by higher ones at start, checked at the door."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


class UnknownName(LookupError):
    """A name that nobody registered: a typo must fail, not pass silently."""


class Registry(Generic[T]):
    """Names to items of one type, in order of registration.

    `register` raises TypeError for the wrong type and ValueError for a second item of the
    same name; `get` raises UnknownName.
    """

    def __init__(self, label: str, item_type: type[T]) -> None:
        self.label = label
        self._type = item_type
        self._items: dict[str, T] = {}

    def register(self, item: T) -> T:
        if not isinstance(item, self._type):
            raise TypeError(f"{self.label}: {item!r} is not a {self._type.__name__}")
        if item.name in self._items:
            raise ValueError(f"{self.label}: {item.name!r} is registered twice")
        self._items[item.name] = item
        return item

    def get(self, name: str) -> T:
        try:
            return self._items[name]
        except KeyError:
            known = ", ".join(sorted(self._items)) or "none"
            raise UnknownName(f"{self.label}: {name!r} is unknown (known: {known})") from None

    def names(self) -> list[str]:
        return list(self._items)

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)
