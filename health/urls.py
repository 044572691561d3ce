"""Addresses of the health app, in full paths."""

from django.urls import include, path

from health.api import intake
from health.urls_playbooks import playbook_urls
from health.views import (
    account,
    accounts_list,
    assignment,
    cards,
    experiments,
    home,
    model,
    overview,
    queue,
    queue_acts,
    rules,
    runs,
    scorecard,
    search,
    usage_names,
)

app_name = "health"
urlpatterns = [
    path("settings/connect/", include("health.connect_urls")),
    path("", home.home, name="home"),
    path("search/", search.search, name="search"),
    path("queue/", queue.queue, name="queue"),
    path("queue/export.csv", queue.export_queue, name="queue_export"),
    path("queue/snoozes/", queue_acts.snoozes, name="snoozes"),
    path("queue/snoozes/new/", queue_acts.new_snooze, name="new_snooze"),
    path("queue/resolutions/", queue_acts.resolutions, name="resolutions"),
    path("queue/resolutions/new/", queue_acts.new_resolution, name="new_resolution"),
    path("queue/assignments/", queue_acts.assignments, name="assignments"),
    path("queue/assignments/new/", queue_acts.new_assignment, name="new_assignment"),
    path("queue/undo/<uuid:public_id>/", queue_acts.undo, name="queue_undo"),
    path("queue/<uuid:public_id>/", queue.queue_account, name="queue_account"),
    path("health/", overview.overview, name="overview"),
    path("health/rescoring/", scorecard.rescoring, name="rescoring"),
    path("health/rules/", rules.rules, name="rules"),
    path("health/rules/<slug:cause>/", rules.rule, name="rule"),
    path("health/features/", usage_names.features, name="features"),
    path("health/unattributed/", usage_names.unattributed, name="unattributed"),
    path("health/model/", model.model, name="model"),
    path("health/model/trainings/", model.trainings, name="trainings"),
    path("health/model/<uuid:public_id>/", model.version, name="model_version"),
    path("health/model/<uuid:public_id>/live/", model.go_live, name="model_go_live"),
    path("health/model/<uuid:public_id>/retirement/", model.retire, name="model_retire"),
    path("health/experiments/", experiments.experiments, name="experiments"),
    path("health/experiments/export.csv", experiments.export_experiments, name="experiments_export"),
    path("health/experiments/plan/", experiments.experiment_plan, name="experiment_plan"),
    path("health/experiments/<uuid:public_id>/", experiments.experiment, name="experiment"),
    path(
        "health/experiments/<uuid:public_id>/export.csv",
        experiments.export_experiment,
        name="experiment_export",
    ),
    path("health/experiments/<uuid:public_id>/stop/", experiments.stop, name="experiment_stop"),
    path("health/runs/", runs.runs, name="runs"),
    path("health/runs/<uuid:public_id>/", runs.run, name="run"),
    path("health/runs/<uuid:public_id>/progress/", runs.progress, name="run_progress"),
    path("health/scorecards/", cards.scorecards, name="scorecards"),
    path("health/scorecards/new/", cards.new_scorecard, name="scorecard_new"),
    path("health/scorecards/undo/", cards.scorecards_undo, name="scorecards_undo"),
    path("health/scorecards/<uuid:public_id>/", scorecard.scorecard, name="scorecard"),
    path(
        "health/scorecards/<uuid:public_id>/draft/discard/",
        scorecard.scorecard_draft_discard,
        name="scorecard_draft_discard",
    ),
    path(
        "health/scorecards/versions/<uuid:public_id>/rollback/",
        scorecard.scorecard_rollback,
        name="scorecard_rollback",
    ),
    path("accounts/", accounts_list.accounts, name="accounts"),
    path("accounts/assignment/", assignment.assignment, name="assignment"),
    path("accounts/assignment/settings/", assignment.assignment_settings, name="assignment_settings"),
    path("accounts/assignment/runs/", assignment.assignment_runs, name="assignment_runs"),
    path("accounts/assignment/rules/new/", assignment.new_assignment_rule, name="assignment_rule_new"),
    path("accounts/assignment/rules/<uuid:public_id>/", assignment.assignment_rule, name="assignment_rule"),
    path(
        "accounts/assignment/rules/<uuid:public_id>/moves/",
        assignment.assignment_rule_moves,
        name="assignment_rule_moves",
    ),
    path(
        "accounts/assignment/rules/<uuid:public_id>/deletions/",
        assignment.assignment_rule_deletions,
        name="assignment_rule_deletions",
    ),
    path("accounts/export.csv", accounts_list.export_accounts, name="accounts_export"),
    path("accounts/<uuid:public_id>/", account.account, name="account"),
]
urlpatterns += playbook_urls
urlpatterns.append(path("v1/batch", intake.batch, name="intake_batch"))
urlpatterns += [path(f"v1/{kind}", view, name=f"intake_{kind}") for kind, view in intake.single.items()]
