"""The Celery app of the project: configured by Django's settings, its jobs kept by the ledger."""

import os

from celery import Celery

import faena

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faena_server.settings")

app = Celery("faena_server")
app.config_from_object("django.conf:settings", namespace="CELERY")
faena.install(app)
app.autodiscover_tasks()
