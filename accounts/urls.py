"""Addresses of the accounts app, in full paths."""

from django.urls import path

from accounts.views import entrance, keys, let_go, members, notes, saved_views, settings

app_name = "accounts"
urlpatterns = [
    path("settings/", settings.settings_index, name="settings"),
    path("settings/workspace/", settings.workspace_settings, name="workspace_settings"),
    path("settings/members/", members.members_page, name="members"),
    path("settings/members/<uuid:public_id>/role/", members.member_role, name="member_role"),
    path(
        "settings/members/<uuid:public_id>/deactivation/",
        members.member_deactivation,
        name="member_deactivation",
    ),
    path(
        "settings/invitations/<uuid:public_id>/revocation/",
        members.invitation_revocation,
        name="invitation_revocation",
    ),
    path("settings/keys/", keys.keys, name="keys"),
    path("settings/keys/<uuid:public_id>/revocation/", keys.key_revocation, name="key_revocation"),
    path("settings/audit/", settings.audit_log, name="audit_log"),
    path("settings/design/", settings.design, name="design"),
    path("settings/profile/", entrance.profile, name="profile"),
    path("workspaces/current/", entrance.switch_workspace, name="switch_workspace"),
    path("invitations/<str:token>/", entrance.invitation, name="invitation"),
    path("saved-views/", saved_views.saved_views, name="saved_views"),
    path(
        "saved-views/<uuid:public_id>/deletions/",
        saved_views.saved_view_deletions,
        name="saved_view_deletions",
    ),
    path("accounts/<uuid:public_id>/notes/", notes.account_notes, name="account_notes"),
    path("accounts/<uuid:public_id>/touches/", notes.touches, name="touches"),
    path("accounts/<uuid:public_id>/let-go/", let_go.let_go, name="let_go"),
    path(
        "accounts/<uuid:public_id>/let-go/withdrawals/", let_go.let_go_withdrawals, name="let_go_withdrawals"
    ),
    path("notes/<uuid:public_id>/", notes.note, name="note"),
    path("notes/<uuid:public_id>/deletions/", notes.note_deletions, name="note_deletions"),
    path("notes/<uuid:public_id>/restorations/", notes.note_restorations, name="note_restorations"),
    path("touches/<uuid:public_id>/deletions/", notes.touch_deletions, name="touch_deletions"),
]
