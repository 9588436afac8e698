"""One noun per file; fields and properties only, the verbs live next to this package."""

from .archivo_pendiente import ArchivoPendiente
from .articulo import Articulo
from .articulo_proveedor import ArticuloProveedor
from .articulo_sin_revisar import ArticuloSinRevisar
from .config_importacion import ConfigImportacion
from .precio_de_lista import PrecioDeLista
from .proveedor import Proveedor

__all__ = [
    "ArchivoPendiente",
    "Articulo",
    "ArticuloProveedor",
    "ArticuloSinRevisar",
    "ConfigImportacion",
    "PrecioDeLista",
    "Proveedor",
]
