"""Addresses of playbooks."""

from django.urls import path

from health.views import playbook_editor as editor
from health.views import playbook_runs as runs
from health.views import playbooks

playbook_urls = [
    path("playbooks/", playbooks.playbooks, name="playbooks"),
    path("playbooks/export.csv", playbooks.export_playbooks, name="playbooks_export"),
    path("playbooks/new/", playbooks.new_playbook, name="playbook_new"),
    path("playbooks/runs/", runs.begin, name="playbook_runs"),
    path("playbooks/runs/new/", runs.new_run, name="playbook_run_new"),
    path("playbooks/runs/<uuid:public_id>/", runs.run, name="playbook_run"),
    path("playbooks/runs/<uuid:public_id>/exit/", runs.run_exit, name="playbook_run_exit"),
    path("playbooks/runs/<uuid:public_id>/pause/", runs.run_pause, name="playbook_run_pause"),
    path("playbooks/runs/<uuid:public_id>/resumption/", runs.run_resume, name="playbook_run_resume"),
    path("playbooks/versions/<uuid:public_id>/rollback/", editor.rollback, name="playbook_rollback"),
    path("playbooks/<uuid:public_id>/", playbooks.playbook, name="playbook"),
    path("playbooks/<uuid:public_id>/edit/", editor.edit, name="playbook_edit"),
    path("playbooks/<uuid:public_id>/preview/", editor.preview, name="playbook_preview"),
    path("playbooks/<uuid:public_id>/preview.csv", editor.export_preview, name="playbook_preview_export"),
    path("playbooks/<uuid:public_id>/publication/", editor.publish, name="playbook_publish"),
    path("playbooks/<uuid:public_id>/draft/discard/", editor.draft_discard, name="playbook_draft_discard"),
    path("playbooks/<uuid:public_id>/pause/", playbooks.playbook_pause, name="playbook_pause"),
    path("playbooks/<uuid:public_id>/release/", playbooks.playbook_release, name="playbook_release"),
    path("playbooks/<uuid:public_id>/archive/", playbooks.playbook_archive, name="playbook_archive"),
]
