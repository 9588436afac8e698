"""The telemetry tasks, where ``manage.py shell`` looks for them."""

from faena_systems.telemetry.tasks import merge_ott_task, sync_and_merge_telemetry_chain, sync_telemetry_task

__all__ = ["merge_ott_task", "sync_and_merge_telemetry_chain", "sync_telemetry_task"]
