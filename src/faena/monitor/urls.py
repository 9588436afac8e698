"""Addresses of the monitor. Actions are POSTs to nouns."""

from django.urls import path
from django.views.i18n import set_language

from faena.monitor.views import actions, failures, jobs, sign_in

app_name = "monitor"
urlpatterns = [
    path("", jobs.Jobs.as_view(), name="jobs"),
    path("jobs/list", jobs.JobList.as_view(), name="job-list"),
    path("jobs/<uuid:pk>/", jobs.OneJob.as_view(), name="job"),
    path("jobs/<uuid:pk>/live", jobs.LiveJob.as_view(), name="job-live"),
    path("jobs/<uuid:pk>/pause", actions.Pause.as_view(), name="pause"),
    path("jobs/<uuid:pk>/resume", actions.Resume.as_view(), name="resume"),
    path("jobs/<uuid:pk>/cancel", actions.Cancel.as_view(), name="cancel"),
    path("jobs/<uuid:pk>/retry", actions.Retry.as_view(), name="retry"),
    path("jobs/<uuid:pk>/discard", actions.Discard.as_view(), name="discard"),
    path("jobs/<uuid:pk>/again", failures.Again.as_view(), name="again"),
    path("failures/", failures.Failures.as_view(), name="failures"),
    path("failures/retry", failures.RetryGroup.as_view(), name="retry-group"),
    path("failures/discard", failures.DiscardGroup.as_view(), name="discard-group"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-in/<str:token>/", sign_in.SignInByLink.as_view(), name="sign-in-link"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign-out"),
    path("language/", set_language, name="language"),
]
