"""Settings of a project that is not Django: the ledger and the monitor, everything from `FAENA_*` or `.env`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from faena import environment
from faena.environment import env

SECRET_KEY = environment.secret_key()
ALLOWED_HOSTS = env.list("FAENA_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("FAENA_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "faena",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "faena.monitor.page.strict_policy",
]
ROOT_URLCONF = "faena.standalone.urls"
ASGI_APPLICATION = "faena.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Checked before use: no request cycle tells when a connection has been left alone for long.
DATABASES = {"default": environment.database() | {"CONN_HEALTH_CHECKS": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = env.str("FAENA_LANGUAGE", "es")
LANGUAGES = [("es", _("Spanish")), ("en", _("English"))]
TIME_ZONE = env.str("FAENA_TIME_ZONE", "UTC")
USE_TZ = True

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "faena.standalone.static.MountedStaticFiles"},
}
SERVESTATIC_USE_FINDERS = True

LOGIN_URL = "monitor:sign-in"
LOGIN_REDIRECT_URL = "monitor:overview"
LOGOUT_REDIRECT_URL = "monitor:sign-in"
# The project that the monitor is mounted in may be Django's neighbour on this very host name.
SESSION_COOKIE_NAME = "faena_session"
CSRF_COOKIE_NAME = "faena_csrf"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("FAENA_HTTPS", False)
X_FRAME_OPTIONS = "DENY"

vars().update(environment.mail())

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# What is logged, and where, is the project's own business.
LOGGING_CONFIG = None
