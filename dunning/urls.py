"""Addresses of this app."""

from django.urls import path

from dunning.urls_policy import policy_urls
from dunning.views import board, case

app_name = "dunning"
urlpatterns = [
    *policy_urls,
    path("dunning/", board.board, name="board"),
    path("dunning/export.csv", board.export_board, name="board_export"),
    path("dunning/cases/<uuid:public_id>/", case.case, name="case"),
]
