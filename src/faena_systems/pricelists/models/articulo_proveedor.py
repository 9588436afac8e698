from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ArticuloProveedor(models.Model):
    """Ties a supplier's price to an article, or to an unreviewed one, never to both.

    The price is its key. The database does not check the four references row by row: on PostgreSQL that
    takes longer than the rest of an import. Every writer makes or reads both ends in its own transaction,
    and a list that is imported again mends a tie whose other end was deleted at that very moment.
    """

    precio_de_lista = models.OneToOneField(
        "importaciones.PrecioDeLista",
        models.CASCADE,
        primary_key=True,
        db_constraint=False,
        related_name="articulo_proveedor",
        verbose_name=_("list price"),
    )
    # The unique index below starts with the supplier, so it needs none of its own.
    proveedor = models.ForeignKey(
        "importaciones.Proveedor",
        models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="articulos",
        verbose_name=_("supplier"),
    )
    codigo_proveedor = models.CharField(_("supplier's code"), max_length=50)
    articulo = models.ForeignKey(
        "importaciones.Articulo",
        models.CASCADE,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="proveedores",
        verbose_name=_("article"),
    )
    articulo_sin_revisar = models.ForeignKey(
        "importaciones.ArticuloSinRevisar",
        models.CASCADE,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="proveedores",
        verbose_name=_("unreviewed article"),
    )

    class Meta:
        verbose_name = _("supplier's article")
        verbose_name_plural = _("suppliers' articles")
        ordering = ["proveedor", "codigo_proveedor"]
        indexes = [
            # One of the two is always NULL.
            models.Index(fields=["articulo"], condition=Q(articulo__isnull=False), name="enlace_articulo"),
            models.Index(
                fields=["articulo_sin_revisar"],
                condition=Q(articulo_sin_revisar__isnull=False),
                name="enlace_sin_revisar",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["proveedor", "codigo_proveedor"], name="articulo_proveedor_codigo_unique"),
            models.CheckConstraint(
                condition=Q(articulo__isnull=False, articulo_sin_revisar__isnull=True)
                | Q(articulo__isnull=True, articulo_sin_revisar__isnull=False),
                name="articulo_proveedor_one_side",
                violation_error_message=_("Choose either an article or an unreviewed one."),
            ),
        ]

    def __str__(self):
        return self.codigo_proveedor
