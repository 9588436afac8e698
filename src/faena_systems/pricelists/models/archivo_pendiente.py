from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ArchivoPendiente(models.Model):
    """One sheet, already converted to a CSV of ours, that waits to be imported or was imported.

    It waits while ``procesado`` is false and ``error`` is empty. A file that failed keeps its reason
    in ``error`` and is left alone until somebody retries it.
    """

    proveedor = models.ForeignKey(
        "importaciones.Proveedor", models.CASCADE, related_name="archivos", verbose_name=_("supplier")
    )
    ruta_csv = models.CharField(_("CSV path"), max_length=255, unique=True, help_text=_("Relative to the data folder."))
    hoja_origen = models.CharField(_("source sheet"), max_length=255, blank=True)
    config_usada = models.ForeignKey(
        "importaciones.ConfigImportacion",
        models.SET_NULL,
        null=True,
        related_name="archivos",
        verbose_name=_("configuration"),
    )
    nombre_archivo_origen = models.CharField(_("source file"), max_length=255, blank=True)
    fecha_subida = models.DateTimeField(_("uploaded at"), default=timezone.now)
    procesado = models.BooleanField(_("processed"), default=False)
    start_row = models.PositiveIntegerField(
        _("banner rows"), default=0, help_text=_("How many rows at the top of the sheet are not articles.")
    )
    sha256 = models.CharField(_("SHA-256 of the upload"), max_length=64, blank=True)
    bytes = models.PositiveBigIntegerField(_("size of the upload in bytes"), default=0)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("uploaded by"),
    )
    job_id = models.UUIDField(_("job"), null=True, blank=True, editable=False, db_index=True)
    error = models.TextField(_("error"), blank=True, editable=False)

    class Meta:
        verbose_name = _("pending file")
        verbose_name_plural = _("pending files")
        ordering = ["fecha_subida", "pk"]
        indexes = [
            models.Index(fields=["fecha_subida", "id"], condition=models.Q(procesado=False), name="archivo_waiting")
        ]

    def __str__(self):
        return self.title

    @property
    def title(self) -> str:
        """The upload's name and its sheet, for people."""
        return f"{self.nombre_archivo_origen} · {self.hoja_origen}" if self.hoja_origen else self.nombre_archivo_origen

    @property
    def csv_path(self) -> Path:
        """Where the CSV stands on disk."""
        return Path(settings.DATA_DIR) / self.ruta_csv
