from django.db import models
from django.utils.translation import gettext_lazy as _


class Articulo(models.Model):
    """Something the shop sells, known by its barcode."""

    codigo_barras = models.CharField(_("barcode"), max_length=50)
    descripcion = models.CharField(_("description"), max_length=500)
    marca = models.CharField(_("brand"), max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["codigo_barras"]
        constraints = [
            # A constraint, not unique=True: PostgreSQL would add a second index for LIKE.
            models.UniqueConstraint(fields=["codigo_barras"], name="articulo_codigo_barras_unique"),
            models.CheckConstraint(condition=~models.Q(codigo_barras=""), name="articulo_barcode_given"),
        ]

    def __str__(self):
        return f"{self.codigo_barras} {self.descripcion}"
