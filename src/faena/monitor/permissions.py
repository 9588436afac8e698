"""Who may act, as everywhere: `faena.permissions`."""

from faena.permissions import may_operate

__all__ = ["may_operate"]
