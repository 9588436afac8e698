"""Settings of the project that ships with Faena. Everything comes from the environment or `.env`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from faena import environment
from faena.environment import env
from faena_server.environment import beat_schedule, systems
from faena_server.log_files import logging_settings

DATA_DIR = environment.data_dir()
SECRET_KEY = environment.secret_key()
DEBUG = env.bool("FAENA_DEBUG", False)
ALLOWED_HOSTS = env.list("FAENA_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("FAENA_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "faena",
    *systems(),
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
ROOT_URLCONF = "faena_server.urls"
ASGI_APPLICATION = "faena_server.asgi.application"
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

DATABASES = {"default": environment.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = env.str("FAENA_LANGUAGE", "es")
LANGUAGES = [("es", _("Spanish")), ("en", _("English"))]
TIME_ZONE = env.str("FAENA_TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # servestatic looks here before it asks the apps
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
SERVESTATIC_USE_FINDERS = True

LOGIN_URL = "monitor:sign-in"
LOGIN_REDIRECT_URL = "monitor:overview"
LOGOUT_REDIRECT_URL = "monitor:sign-in"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("FAENA_HTTPS", False)
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

vars().update(environment.mail())

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

CELERY_BROKER_URL = environment.broker_url()
CELERY_TIMEZONE = env.str("CELERY_TIMEZONE", TIME_ZONE)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = beat_schedule()

FAENA: dict[str, object] = {}

LOGGING = logging_settings(DATA_DIR / "logs", env.str("FAENA_LOG_LEVEL", "INFO"))
