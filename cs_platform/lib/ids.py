"""Public ids as they come in addresses and forms."""

from uuid import UUID


def read_uuid(text: str | None) -> UUID | None:
    """The id that was typed; None for anything else, which then names nobody."""
    try:
        return UUID(text or "")
    except ValueError:
        return None
