"""What a new workspace starts with: a policy in force."""

from __future__ import annotations

from accounts.registry import WorkspaceDefault, workspace_defaults
from dunning.services.policies import the_policy


def register() -> None:
    workspace_defaults.register(WorkspaceDefault("dunning", create_defaults))


def create_defaults() -> None:
    the_policy()
