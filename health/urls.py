"""Addresses of the health app, in full paths."""

from django.urls import path

from health.api import intake
from health.views import account, accounts_list, home, queue, queue_acts, search

app_name = "health"
urlpatterns = [
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
    path("accounts/", accounts_list.accounts, name="accounts"),
    path("accounts/export.csv", accounts_list.export_accounts, name="accounts_export"),
    path("accounts/<uuid:public_id>/", account.account, name="account"),
]
urlpatterns.append(path("v1/batch", intake.batch, name="intake_batch"))
urlpatterns += [path(f"v1/{kind}", view, name=f"intake_{kind}") for kind, view in intake.single.items()]
