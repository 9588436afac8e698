"""Addresses of the monitor. Actions are POSTs to nouns."""

from django.urls import path, re_path
from django.views.i18n import set_language

from faena.monitor.views import actions, failures, jobs, overview, queues, schedules, sign_in, workers

app_name = "monitor"
urlpatterns = [
    path("", overview.Overview.as_view(), name="overview"),
    path("live", overview.LiveOverview.as_view(), name="overview-live"),
    path("jobs/", jobs.Jobs.as_view(), name="jobs"),
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
    path("queues/", queues.Queues.as_view(), name="queues"),
    path("queues/live", queues.LiveQueues.as_view(), name="queues-live"),
    path("queues/pause", queues.PauseQueue.as_view(), name="pause-queue"),
    path("queues/resume", queues.ResumeQueue.as_view(), name="resume-queue"),
    path("queues/purge", queues.PurgeQueue.as_view(), name="purge-queue"),
    path("workers/", workers.Workers.as_view(), name="workers"),
    path("workers/live", workers.LiveWorkers.as_view(), name="workers-live"),
    re_path(
        r"^workers/(?P<action>grow|shrink|quiet|listen|restart|stop)$", workers.AskWorker.as_view(), name="ask-worker"
    ),
    path("schedules/", schedules.Schedules.as_view(), name="schedules"),
    path("schedules/live", schedules.LiveSchedules.as_view(), name="schedules-live"),
    path("schedules/new", schedules.EditSchedule.as_view(), name="new-schedule"),
    path("schedules/<int:pk>/", schedules.OneSchedule.as_view(), name="schedule"),
    path("schedules/<int:pk>/live", schedules.LiveSchedule.as_view(), name="schedule-live"),
    path("schedules/<int:pk>/edit", schedules.EditSchedule.as_view(), name="edit-schedule"),
    path("schedules/<int:pk>/run", schedules.RunNow.as_view(), name="run-schedule"),
    path("schedules/<int:pk>/enable", schedules.Enable.as_view(), name="enable-schedule"),
    path("schedules/<int:pk>/disable", schedules.Disable.as_view(), name="disable-schedule"),
    path("schedules/<int:pk>/skip", schedules.Skip.as_view(), name="skip"),
    path("schedules/<int:pk>/unskip", schedules.Unskip.as_view(), name="unskip"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-in/<str:token>/", sign_in.SignInByLink.as_view(), name="sign-in-link"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign-out"),
    path("language/", set_language, name="language"),
]
