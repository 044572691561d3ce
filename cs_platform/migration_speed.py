"""Applying migrations to an empty database in a third of the time.

Django renders a model, and everything related to it, again after each index, constraint and new model of a
migration. Here everything is related to everything through the workspace, so that a hundred small operations render
thousands of classes. In a migration that only adds, none of it changes the SQL: an index or constraint is created
from its own definition, and a new model has no dependants yet. Before a migration that alters something, everything
is rendered afresh. `tests/platform/test_migrations.py` compares the two schemas.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint, AddField, AddIndex, CreateModel, Migration, RunPython, RunSQL
from django.db.migrations.state import ModelState, ProjectState

ADDING = (AddConstraint, AddField, AddIndex, CreateModel, RunPython, RunSQL)

apply_migration = Migration.apply


def append_option(self: ProjectState, app_label: str, model_name: str, option_name: str, obj: Any) -> None:
    """Note an index or constraint in the state; the rendered class is left as it is."""
    model_state = self.models[app_label, model_name]
    model_state.options[option_name] = [*model_state.options[option_name], obj]
    self.__dict__["is_stale"] = True


def add_model(self: Any, model_state: ModelState) -> None:
    """Render the new model alone: nothing can point to it yet."""
    key = model_state.app_label, model_state.name_lower
    self.models[key] = model_state
    if self._relations is not None:
        self.resolve_model_relations(key)
    if "apps" in self.__dict__:
        self.apps.render_multiple([model_state])


def apply(
    self: Migration,
    project_state: ProjectState,
    schema_editor: BaseDatabaseSchemaEditor,
    collect_sql: bool = False,
) -> ProjectState:
    if all(isinstance(operation, ADDING) for operation in self.operations):
        with (
            mock.patch.object(ProjectState, "_append_option", append_option),
            mock.patch.object(ProjectState, "add_model", add_model),
        ):
            return apply_migration(self, project_state, schema_editor, collect_sql)
    if project_state.__dict__.pop("is_stale", False):
        project_state.__dict__.pop("apps", None)
        _ = project_state.apps  # renders all of it
    return apply_migration(self, project_state, schema_editor, collect_sql)


@contextmanager
def quick_states() -> Iterator[None]:
    with mock.patch.object(Migration, "apply", apply):
        yield
