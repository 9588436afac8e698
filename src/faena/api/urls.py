"""Every address for programs. A project includes this where it likes, such as `path("", include("faena.api.urls"))`."""

from django.urls import include, path, re_path

from faena.api import app, health, page
from faena.api.guard import guarded, nothing_here

made = app.make()
_patterns, _app_name, _namespace = made.urls
for _each in _patterns:
    _each.callback = guarded(_each.callback)  # type: ignore[arg-type]

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.show_metrics, name="metrics"),
    path("api/docs", page.docs, name="api-docs"),
    path("api/", include((_patterns, _app_name), namespace=_namespace)),
    re_path("^api/", nothing_here),
]
