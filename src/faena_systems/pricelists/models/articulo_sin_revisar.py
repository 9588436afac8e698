from django.db import models
from django.utils.translation import gettext_lazy as _


class Estado(models.TextChoices):
    """What a person, or a barcode, has decided about a supplier's code."""

    PENDIENTE = "pendiente", _("to review")
    MAPEADO = "mapeado", _("mapped")
    NUEVO = "nuevo", _("new article")


class ArticuloSinRevisar(models.Model):
    """A supplier's code that nobody has reviewed yet.

    ``descripcion_proveedor`` follows the supplier's lists; ``descripcion`` is set once, then it belongs
    to whoever reviews it, and imports keep it.
    """

    Estado = Estado

    # The unique index below starts with the supplier, so it needs none of its own. Nor does the database
    # check it: the price written in the same transaction names the same supplier and is checked.
    proveedor = models.ForeignKey(
        "importaciones.Proveedor",
        models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="sin_revisar",
        verbose_name=_("supplier"),
    )
    codigo_proveedor = models.CharField(_("supplier's code"), max_length=50)
    descripcion_proveedor = models.CharField(_("supplier's description"), max_length=500)
    descripcion = models.CharField(_("description"), max_length=500)
    estado = models.CharField(_("state"), max_length=10, choices=Estado.choices, default=Estado.PENDIENTE)

    class Meta:
        verbose_name = _("unreviewed article")
        verbose_name_plural = _("unreviewed articles")
        ordering = ["proveedor", "codigo_proveedor"]
        constraints = [
            models.UniqueConstraint(fields=["proveedor", "codigo_proveedor"], name="sin_revisar_codigo_unique"),
            models.CheckConstraint(condition=models.Q(estado__in=Estado.values), name="sin_revisar_estado_known"),
        ]

    def __str__(self):
        return f"{self.codigo_proveedor} {self.descripcion}"
