"""Addresses of the accounts app, in full paths."""

from django.urls import path

from accounts.views import let_go, notes, saved_views

app_name = "accounts"
urlpatterns = [
    path("saved-views/", saved_views.saved_views, name="saved_views"),
    path("saved-views/<uuid:public_id>/deletions/", saved_views.saved_view_deletions, name="saved_view_deletions"),
    path("accounts/<uuid:public_id>/notes/", notes.account_notes, name="account_notes"),
    path("accounts/<uuid:public_id>/touches/", notes.touches, name="touches"),
    path("accounts/<uuid:public_id>/let-go/", let_go.let_go, name="let_go"),
    path("accounts/<uuid:public_id>/let-go/withdrawals/", let_go.let_go_withdrawals, name="let_go_withdrawals"),
    path("notes/<uuid:public_id>/", notes.note, name="note"),
    path("notes/<uuid:public_id>/deletions/", notes.note_deletions, name="note_deletions"),
    path("notes/<uuid:public_id>/restorations/", notes.note_restorations, name="note_restorations"),
    path("touches/<uuid:public_id>/deletions/", notes.touch_deletions, name="touch_deletions"),
]
