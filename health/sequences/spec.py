"""What a step can be: its fields, what it does, what it would do. Registry: `health.registry.sequence_actions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Choices = list[tuple[str, Any]]
FieldType = Literal["text", "long_text", "number", "choice", "tree", "target", "checkbox"]


@dataclass(frozen=True)
class StepField:
    """One value of a step. `choices()` runs in the workspace's scope; limits are inclusive.

    "target" fields say where to go: "next", "end" or "step:<id>". "tree" fields hold a segment tree.
    """

    name: str
    label: Any
    type: FieldType = "text"
    default: Any = ""
    is_required: bool = True
    choices: Callable[[], Choices] | None = None
    lowest: int = 1
    highest: int = 365
    longest: int = 200
    help: Any = ""


@dataclass(frozen=True)
class StepResult:
    """What a step did. `email_id` and `queue_item_id` name what it wrote; `data` holds codes and ids only.

    `is_skipped`: there was nothing to do (`data["why"]` says why). `ends_run`: no step after this one.
    """

    data: dict[str, Any] = field(default_factory=dict)
    email_id: int | None = None
    queue_item_id: int | None = None
    is_skipped: bool = False
    ends_run: bool = False


@dataclass(frozen=True)
class StepContext:
    """What an action gets: the run (with account, contact, sequence), the checked values of its step."""

    run: Any
    step_id: str
    values: Mapping[str, Any]
    step_run_id: int
    now: datetime


@dataclass(frozen=True)
class PreviewContext:
    """The same before anything is begun; `contacts` are the people at the account, best first.

    `once(key, make)` keeps what is the same for every account of the page.
    """

    account: Any
    contact: Any
    contacts: tuple[Any, ...]
    values: Mapping[str, Any]
    now: datetime
    shared: dict[str, Any] = field(default_factory=dict)

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        if key not in self.shared:
            self.shared[key] = make()
        return self.shared[key]


@dataclass(frozen=True)
class StepPreview:
    """What a step would do for one account: a sentence, whom it writes to and under which subject.

    `problem` says why it would do nothing; `ends_run` that nothing would come after it.
    """

    words: str
    person: str = ""
    address: str = ""
    subject: str = ""
    problem: str = ""
    ends_run: bool = False


@dataclass(frozen=True)
class SequenceAction:
    """A kind of step with an effect inside the database.

    `run(context)` writes in the transaction that advances the run, so the effect happens once; what goes
    outside is written as a row of an outbox. `describe(values)` is one line in words. `only_in` names the kind
    of sequence that offers the step; empty: all.
    """

    name: str
    label: Any
    description: Any
    icon: str
    fields: tuple[StepField, ...]
    run: Callable[[StepContext], StepResult]
    describe: Callable[[Mapping[str, Any]], str]
    preview: Callable[[PreviewContext], StepPreview]
    only_in: str = ""


@dataclass(frozen=True)
class ControlStep:
    """A step that the engine itself understands: it waits or chooses the way."""

    name: str
    label: Any
    description: Any
    icon: str
    fields: tuple[StepField, ...]
