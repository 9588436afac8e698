"""The list of jobs, and one job. Each page has a live part that the browser fetches again."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.generic import TemplateView, View

from faena import queries
from faena.monitor import copying, exporting, job_list, job_page
from faena.monitor.page import Page


class JobList(Page, TemplateView):
    """The live part of the list."""

    template_name = "faena/parts/job_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """One page of jobs and the counts of the tabs."""
        return super().get_context_data(**kwargs) | job_list.about(self.request.GET)


class Jobs(JobList):
    """The list of jobs, newest first. Its filters live in the address."""

    template_name = "faena/jobs.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The list; or the job itself, when its id was searched for."""
        found = job_list.job_by_id(request.GET.get("q", ""))
        return redirect("monitor:job", found) if found else super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The list, and what its filters offer."""
        return super().get_context_data(**kwargs) | job_list.offers(self.request.GET, self.request.user)


class Export(Page, View):
    """The jobs of a filter as a file."""

    def get(self, request: HttpRequest, form: str) -> HttpResponse:
        """CSV or JSON."""
        wanted = job_list.wanted_by(request.GET)
        made = exporting.as_csv(wanted) if form == "csv" else exporting.as_json(wanted)
        answer = HttpResponse(
            made, content_type=f"{'text/csv' if form == 'csv' else 'application/json'}; charset=utf-8"
        )
        answer.headers["Content-Disposition"] = f'attachment; filename="jobs-{timezone.now():%Y%m%d-%H%M}.{form}"'
        return answer


class LiveJob(Page, TemplateView):
    """The live part of one job."""

    template_name = "faena/parts/job_live.html"
    is_fragment = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Everything about the job."""
        job = queries.job(kwargs["pk"])
        if job is None:
            raise Http404
        about = job_page.about(job, self.request.GET)
        about["curl"] = copying.as_curl(job, self.request.build_absolute_uri("/"))
        return super().get_context_data(**kwargs) | about | {"is_fragment": self.is_fragment}


class OneJob(LiveJob):
    """One job."""

    template_name = "faena/job.html"
    is_fragment = False
