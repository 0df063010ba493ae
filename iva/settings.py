"""Every setting in one file; every knob an `IVA_*` variable, or `IVA_*_FILE` naming a file that holds it."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from iva import logs

BASE_DIR = Path(__file__).resolve().parent.parent


def knob(name: str, default: str | None = None) -> str:
    """`IVA_<name>`, or what the file named by `IVA_<name>_FILE` holds. Raises ImproperlyConfigured."""
    file = os.environ.get(f"IVA_{name}_FILE")
    if file:
        return Path(file).read_text(encoding="utf-8").strip()
    value = os.environ.get(f"IVA_{name}", default)
    if value is None:
        raise ImproperlyConfigured(
            f"IVA_{name} is not set. `make run` sets it; see .env.example for a server."
        )
    return value


def switch(name: str, default: bool) -> bool:
    return knob(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def listed(name: str, default: str) -> list[str]:
    return [item.strip() for item in knob(name, default).split(",") if item.strip()]


DEBUG = False
SECRET_KEY = knob("SECRET_KEY")
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "heroicons",
    "iva.apps.GateConfig",
    "iva.apps.OperatorAdminConfig",
    "iva.audit.apps.AuditConfig",
    "iva.crypto.apps.CryptoConfig",
    "iva.outbox.apps.OutboxConfig",
    "accounts.apps.AccountsConfig",
    "billing.apps.BillingConfig",
    "retention.apps.RetentionConfig",
    "privacy.apps.PrivacyConfig",
    "agent.apps.AgentConfig",
    "channels_cfg.apps.ChannelsConfig",
    "conversations.apps.ConversationsConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "iva.logs.RequestLog",
    "iva.headers.SecurityHeaders",
    "accounts.cookie_guard.CookieGuard",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "iva.problems.MethodProblems",
    "iva.problems.LengthRequired",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "iva.operators.entering.NobodyUntilTheDoor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "iva.urls"
APPEND_SLASH = False
WSGI_APPLICATION = "iva.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "iva.headers.nonce",
                "accounts.navigation.context",
                "accounts.banner.context",
                "conversations.live_pages.context",
            ]
        },
    }
]


def database(url: str) -> dict[str, Any]:
    """PostgreSQL over one persistent connection a thread.

    Values are bound by the server: with client-side binding a failed statement would carry them into
    PostgreSQL's log.
    """
    parsed: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=None)}
    if parsed.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured("IVA runs on PostgreSQL only: row-level security is load-bearing.")
    parsed["CONN_MAX_AGE"] = None
    parsed["CONN_HEALTH_CHECKS"] = True
    parsed["OPTIONS"] = {
        **parsed.get("OPTIONS", {}),
        "server_side_binding": True,
        "prepare_threshold": 5,
        "application_name": "iva",
        "connect_timeout": 5,
    }
    return parsed


DATABASES = {"default": database(knob("DATABASE_URL"))}
if os.environ.get("IVA_OWNER_DATABASE_URL") or os.environ.get("IVA_OWNER_DATABASE_URL_FILE"):
    DATABASES["owner"] = database(knob("OWNER_DATABASE_URL"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = knob("REDIS_URL")
IVA_KEY_SERVICE = knob("KEY_SERVICE", "local")
IVA_KEYRING_PATH = knob("KEYRING_PATH", "")
IVA_VAULT_ADDR = knob("VAULT_ADDR", "")
IVA_VAULT_TOKEN_FILE = os.environ.get("IVA_VAULT_TOKEN_FILE", "")
IVA_VAULT_MOUNT = knob("VAULT_MOUNT", "transit")
IVA_AWS_KMS_ENDPOINT = knob("AWS_KMS_ENDPOINT", "")
IVA_AWS_REGION = knob("AWS_REGION", "")
IVA_KEY_CACHE_SECONDS = int(knob("KEY_CACHE_SECONDS", "300"))
IVA_ERASURE_LEDGER_PATH = knob("ERASURE_LEDGER_PATH")
IVA_KEY_COPIES_PATH = knob("KEY_COPIES_PATH")
IVA_AUDIT_HEADS_PATH = knob("AUDIT_HEADS_PATH")

IVA_API_KEY_CACHE_SECONDS = min(int(knob("API_KEY_CACHE_SECONDS", "3")), 5)
IVA_REQUESTS_PER_MINUTE = int(knob("REQUESTS_PER_MINUTE", "60000"))
IVA_FAILED_SIGN_INS_PER_MINUTE = int(knob("FAILED_SIGN_INS_PER_MINUTE", "30"))
IVA_INVITATIONS_PER_DAY = int(knob("INVITATIONS_PER_DAY", "200"))
IVA_SESSION_IDLE_MINUTES = int(knob("SESSION_IDLE_MINUTES", "30"))
IVA_SESSION_HOURS = int(knob("SESSION_HOURS", "12"))
IVA_LIVE_STREAMS = int(knob("LIVE_STREAMS", "1000"))
IVA_LIVE_STREAMS_PER_PERSON = int(knob("LIVE_STREAMS_PER_PERSON", "10"))
IVA_SHORTEN_IP_DAYS = int(knob("SHORTEN_IP_DAYS", "30"))
IVA_FORGET_USAGE_DAYS = int(knob("FORGET_USAGE_DAYS", "180"))
IVA_TRUSTED_PROXIES = listed("TRUSTED_PROXIES", "")
IVA_LEASE_SECONDS = int(knob("LEASE_SECONDS", "30"))
IVA_METRICS_TOKEN = knob("METRICS_TOKEN", "")
IVA_DEMO_CREDENTIALS_PATH = knob("DEMO_CREDENTIALS_PATH", "")

FEWEST_NOTICE_DAYS = 14
IVA_NOTICE_DAYS = max(int(knob("NOTICE_DAYS", "30")), FEWEST_NOTICE_DAYS)
IVA_SITE_URL = knob("SITE_URL", "").rstrip("/")
IVA_EMAIL_URL = knob("EMAIL_URL", "")
IVA_EMAIL_FROM = knob("EMAIL_FROM", "")


def mail(url: str) -> dict[str, Any]:
    """Django's settings for `smtp://`, `smtp+tls://` (STARTTLS) or `smtp+ssl://user:password@host:port`.

    Certificates are verified; in clear only on the same machine (P47). Raises ImproperlyConfigured.
    """
    parts = urlsplit(url)
    usual = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
    try:
        port = parts.port or usual[parts.scheme]
    except (KeyError, ValueError):
        raise ImproperlyConfigured("IVA_EMAIL_URL is smtp+tls://user:password@host:port") from None
    if parts.scheme == "smtp" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ImproperlyConfigured("IVA_EMAIL_URL: smtp:// is for the same machine; use smtp+tls://")
    return {
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtp+ssl",
    }


if IVA_EMAIL_URL:
    globals().update(mail(IVA_EMAIL_URL))
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = IVA_EMAIL_FROM or "IVA <no-reply@localhost>"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

LANGUAGE_CODE = "mn"
LANGUAGES = [("mn", "Монгол"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "iva" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = knob("STATIC_ROOT", str(BASE_DIR / "static-collected"))
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

# One front: `make run` speaks plain HTTP on the loopback interface, a server stands behind TLS.
OVER_TLS = not switch("LOOPBACK_HTTP", False)
IVA_WEB_PORT, IVA_LIVE_PORT = (int(port) for port in listed("LOOPBACK_PORTS", "0,0"))
if OVER_TLS and IVA_LIVE_PORT:
    raise ImproperlyConfigured("IVA_LOOPBACK_PORTS is for IVA_LOOPBACK_HTTP=1: a server has one origin.")


def letters_may_lie_in(folder: str, *, over_tls: bool) -> str:
    """Where `make run` keeps letters without a mail server. Their links open logins: never on a server."""
    if folder and over_tls:
        raise ImproperlyConfigured("IVA_MAIL_FOLDER is for `make run` only: a server sends its mail.")
    return folder


IVA_MAIL_FOLDER = letters_may_lie_in(knob("MAIL_FOLDER", ""), over_tls=OVER_TLS)
SECURE_SSL_REDIRECT = OVER_TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IVA_TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 63_072_000 if OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = OVER_TLS
SECURE_HSTS_PRELOAD = OVER_TLS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = OVER_TLS
SESSION_COOKIE_NAME = "__Host-session" if OVER_TLS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if OVER_TLS else "csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = IVA_SESSION_HOURS * 3600
SESSION_ENGINE = "accounts.sessions"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
CSRF_FAILURE_VIEW = "iva.problems.csrf_failed"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.HasDeclaredScope"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.PerKeyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["iva.strict_json.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["iva.strict_json.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "iva.strict_json.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "iva.described.OwnWords",
    "EXCEPTION_HANDLER": "iva.problems.handle",
    "DEFAULT_VERSIONING_CLASS": None,
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "IVA API",
    "DESCRIPTION": "Talk with your End Users through IVA. Errors are RFC 9457 problem documents.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "iva.api.describe_problems",
    ],
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_DB_REUSE_MAX = 10_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = 600

LOGGING = logs.configuration(knob("LOG_LEVEL", "INFO"), pretty=switch("PRETTY_LOGS", False))
