"""Files on their way in through the browser, and how their columns were mapped."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.base import PublicModel, WorkspaceModel, unique_in_workspace
from accounts.models.shared import Import, StoredFile
from accounts.models.workspaces import User


class ImportUpload(PublicModel):
    """One uploaded file: mapped, checked as a dry run, imported. The run itself is its `source_import`.

    mapping -> checking -> checked -> importing -> finished; a check that finds the file unusable goes back
    to mapping with `problem`. Checking and importing are jobs; what they did so far is in `rows_done`.
    """

    class State(models.TextChoices):
        MAPPING = "mapping", _("Waits for its columns")
        CHECKING = "checking", _("Is being checked")
        CHECKED = "checked", _("Ready to import")
        IMPORTING = "importing", _("Is being imported")
        FINISHED = "finished", _("Finished")

    kind = models.CharField(max_length=40)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.SET_NULL, related_name="+")
    file_name = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=State.choices, default=State.MAPPING)
    header_digest = models.CharField(max_length=64)
    columns = models.JSONField(default=list, help_text="column names in their order")
    samples = models.JSONField(default=dict, help_text="column to its first values")
    options = models.JSONField(default=dict, help_text="ImportOptions as JSON")
    preview = models.JSONField(default=dict, help_text="the first rows as they would be written")
    result = models.JSONField(default=dict, help_text="what the dry run counted")
    problem = models.JSONField(default=dict, help_text="why the file cannot be imported: code and params")
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    source_import = models.ForeignKey(Import, null=True, on_delete=models.CASCADE, related_name="+")
    error_file = models.ForeignKey(StoredFile, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("public_id", name="import_upload_public_id"),
            unique_in_workspace("source_import", name="import_upload_once"),
        ]
        indexes = [models.Index(fields=["workspace", "state", "-id"], name="import_upload_state")]


class ImportMapping(WorkspaceModel):
    """How a file with these column names was mapped last time, offered when one like it comes again."""

    kind = models.CharField(max_length=40)
    header_digest = models.CharField(max_length=64)
    options = models.JSONField(default=dict)
    used_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    used_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [unique_in_workspace("kind", "header_digest", name="import_mapping_header")]
