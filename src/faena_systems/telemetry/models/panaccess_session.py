from django.db import models
from django.utils.translation import gettext_lazy as _


class PanaccessSession(models.Model):
    """A session that every worker shares, as PanAccess allows few logins.

    Its id is a secret for as long as it lives, so no page shows this table.
    """

    account = models.CharField(
        _("account"), max_length=64, primary_key=True, help_text=_("A digest of address and user.")
    )
    session_id = models.TextField(_("session"))
    opened = models.DateTimeField(_("opened at"))

    class Meta:
        verbose_name = _("PanAccess session")
        verbose_name_plural = _("PanAccess sessions")

    def __str__(self):
        return self.account[:8]
