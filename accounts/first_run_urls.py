"""Addresses of the first minutes: set-up, another workspace, the checklist; included by `urls.py`."""

from django.urls import path

from accounts.views import first_run, welcome

urlpatterns = [
    path("login/", first_run.sign_in, name="sign_in"),
    path("setup/", first_run.setup_start, name="setup"),
    path("setup/<str:code>/", first_run.setup, name="setup_code"),
    path("workspaces/new/", first_run.new_workspace, name="new_workspace"),
    path("welcome/", welcome.welcome, name="welcome"),
    path("welcome/dismissal/", welcome.welcome_dismissal, name="welcome_dismissal"),
]
