"""Django settings. Everything that differs between installations comes from the environment (see .env.example)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from chatapp import env, pool
from chatapp.fixed import *  # noqa: F403  (each name there is a setting)

BASE_DIR = env.BASE_DIR
VAR_DIR = env.var_dir()

# Who and where we are ------------------------------------------------------------------------------------------------

PORT = env.whole_number("PORT", 8000, minimum=1, maximum=65535)
PUBLIC_URL = env.http_url("PUBLIC_URL", f"http://127.0.0.1:{PORT}", check=env.is_safe_origin)
IS_HTTPS = PUBLIC_URL.startswith("https://")
_public_host = urlsplit(PUBLIC_URL).hostname or ""

DEBUG = env.flag("DEBUG")
if DEBUG and IS_HTTPS:
    raise ImproperlyConfigured("DEBUG is true while PUBLIC_URL is https; debug pages show secrets, so set DEBUG=false.")
SECRET_KEY = env.secret("SECRET_KEY", minimum=50)
ALLOWED_HOSTS = env.host_names("ALLOWED_HOSTS", (_public_host,) if IS_HTTPS else ("127.0.0.1", "localhost", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS", (PUBLIC_URL,))
TRUSTED_PROXY_COUNT = env.whole_number("TRUSTED_PROXY_COUNT", 0, maximum=10)

# Cookies and headers -------------------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked by load balancers over plain http
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True

# The application -----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "accounts",
    "accounts.apps.BackOfficeConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "audit",
    "rest",
    "conversations",
    "batches",
    "webhooks",
    "records",
]
MIDDLEWARE = [
    "rest.middleware.speak_problems",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "chatapp.middleware.plain_text_only",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "audit.acting.remember_who",
]
ROOT_URLCONF = "chatapp.urls"
ASGI_APPLICATION = "chatapp.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")  # decides which day it is: for limits, sums and lists
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024  # a prompt at its limit, percent-encoded, must reach the form's own check

# PostgreSQL ----------------------------------------------------------------------------------------------------------

# Under ASGI each request has a thread of its own, so connections come from a pool rather than staying with a thread.
DATABASES = {"default": env.postgres("DATABASE_URL")}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["OPTIONS"]["pool"] = {  # type: ignore[index]
    "min_size": 1,
    "max_size": 16,
    "timeout": 10,
    "max_idle": 60,
    "reconnect_timeout": 5,
    "check": pool.check,
}
# A machine that vanishes in the middle of a transaction must not keep an answer locked.
DATABASES["default"]["OPTIONS"].setdefault("options", "-c idle_in_transaction_session_timeout=30s")  # type: ignore[attr-defined]
CACHES = {  # in the database, so that throttles are shared by all processes
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},  # 300, the default, lets an attacker push throttles out by many names
    },
}

# Jobs ----------------------------------------------------------------------------------------------------------------

PROCRASTINATE_ON_APP_READY = "conversations.live.connector.install"
PROCRASTINATE_WORKER_DEFAULTS = {
    "concurrency": 200,
    "shutdown_graceful_timeout": 15,
    "fetch_job_polling_interval": 0.5,
    "delete_jobs": "successful",
    "update_heartbeat_interval": 5.0,
}

# Sign-in -------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "conversations:list"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
# The first administrator, made by `manage.py setup` where there is none; an empty password is generated.
ADMIN_USERNAME = env.text("ADMIN_USERNAME", "admin")
ADMIN_EMAIL = env.text("ADMIN_EMAIL", "admin@localhost.invalid")
ADMIN_PASSWORD = env.text("ADMIN_PASSWORD")

# The company's sign-in -----------------------------------------------------------------------------------------------

OIDC_ISSUER = env.http_url("OIDC_ISSUER", check=env.is_safe_origin)
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET")
OIDC_SCOPES = env.text("OIDC_SCOPES", "openid profile email").split()
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
OIDC_GROUPS = env.pairs("OIDC_GROUPS")
OIDC_AUDIENCE = env.text("OIDC_AUDIENCE")  # of bearer tokens for the API; empty: none are taken
if bool(OIDC_ISSUER) != bool(OIDC_CLIENT_ID):
    raise ImproperlyConfigured("Of OIDC_ISSUER and OIDC_CLIENT_ID one is set and the other is not; they go together.")
if len(OIDC_ISSUER) > 200:
    raise ImproperlyConfigured("OIDC_ISSUER has more than 200 characters.")
if "openid" not in OIDC_SCOPES:
    raise ImproperlyConfigured("OIDC_SCOPES must hold openid.")
ACCOUNT_RATE_LIMITS = {"company_sign_in": "300/m/ip"}  # besides allauth's own; a whole company may share an address
SOCIALACCOUNT_ADAPTER = "accounts.company.flow.CompanyAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": OIDC_ISSUER,  # so that the subjects of another issuer are other people
                "name": "Company sign-in",
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_ISSUER, "scope": OIDC_SCOPES, "oauth_pkce_enabled": True},
            }
        ]
        if OIDC_ISSUER
        else []
    }
}

# The model -----------------------------------------------------------------------------------------------------------

OPENAI_API_KEY = env.text("OPENAI_API_KEY")
OPENAI_BASE_URL = env.http_url("OPENAI_BASE_URL")
OPENAI_BACKGROUND = env.flag("OPENAI_BACKGROUND")
OPENAI_IMAGE_MODEL = env.text("OPENAI_IMAGE_MODEL", "gpt-image-2.6-sunburst")
DEFAULT_MODEL = env.text("DEFAULT_MODEL", "gpt-4o")
MAX_PARALLEL_ANSWERS = env.whole_number("MAX_PARALLEL_ANSWERS", 20, minimum=1, maximum=10_000)  # of one person
BATCH_PARALLEL_ANSWERS = env.whole_number("BATCH_PARALLEL_ANSWERS", 4, minimum=1, maximum=50)  # of one person
MAX_PROMPT_CHARS = env.whole_number("MAX_PROMPT_CHARS", 100_000, minimum=1, maximum=1_000_000)

# The REST API --------------------------------------------------------------------------------------------------------

API_MAX_BODY_BYTES = env.whole_number("API_MAX_BODY_BYTES", 2_000_000, minimum=1_000, maximum=8_000_000)
API_REQUESTS_PER_MINUTE = env.whole_number("API_REQUESTS_PER_MINUTE", 600, minimum=1, maximum=1_000_000)  # of a token
API_ANSWERS_PER_MINUTE = env.whole_number("API_ANSWERS_PER_MINUTE", 60, minimum=1, maximum=1_000_000)  # of a token
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS", ())

# Search --------------------------------------------------------------------------------------------------------------

SEARCH_LANGUAGE = env.text("SEARCH_LANGUAGE", "english")

# Concluding ----------------------------------------------------------------------------------------------------------

CONCLUDE_AFTER_IDLE_DAYS = env.whole_number("CONCLUDE_AFTER_IDLE_DAYS", 0, maximum=36_500)  # 0: never

# Certificates --------------------------------------------------------------------------------------------------------

env.trust_certificates("SSL_CERT_FILE")

# Webhooks ------------------------------------------------------------------------------------------------------------

# Private networks to which events may be sent; otherwise they go to public addresses alone.
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS")

# Files ---------------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT") or VAR_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]

# Every upload has a path, whatever its size: its checks run in a process of their own.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
MAX_FILE_MEGABYTES = env.whole_number("MAX_FILE_MEGABYTES", 45, minimum=1, maximum=500)
MAX_FILES_PER_MESSAGE = env.whole_number("MAX_FILES_PER_MESSAGE", 10, minimum=1, maximum=50)
MAX_STORED_MEGABYTES = env.whole_number("MAX_STORED_MEGABYTES", 5_000, minimum=1, maximum=10_000_000)  # of one person

AWS_STORAGE_BUCKET_NAME = env.text("AWS_STORAGE_BUCKET_NAME")
AWS_S3_ENDPOINT_URL = env.http_url("AWS_S3_ENDPOINT_URL") or None
AWS_S3_PUBLIC_ENDPOINT_URL = env.http_url("AWS_S3_PUBLIC_ENDPOINT_URL")  # where browsers reach it; empty: they do not
AWS_S3_REGION_NAME = env.text("AWS_S3_REGION_NAME") or None
AWS_S3_ADDRESSING_STYLE = env.choice("AWS_S3_ADDRESSING_STYLE", "auto", ("auto", "path", "virtual"))
AWS_S3_CHECKSUM = env.choice("AWS_S3_CHECKSUM", "when_supported", ("when_supported", "when_required"))
AWS_S3_FILE_OVERWRITE = False
AWS_S3_SIGNATURE_VERSION = "s3v4"
AWS_QUERYSTRING_AUTH = True
AWS_QUERYSTRING_EXPIRE = 60  # seconds that a signed link lives
AWS_DEFAULT_ACL = None
if IS_HTTPS and not AWS_STORAGE_BUCKET_NAME:
    raise ImproperlyConfigured("AWS_STORAGE_BUCKET_NAME is not set. With an https PUBLIC_URL files need a bucket.")
if AWS_STORAGE_BUCKET_NAME:
    from botocore.config import Config

    _client_config: dict[str, Any] = {
        "signature_version": AWS_S3_SIGNATURE_VERSION,
        "s3": {"addressing_style": AWS_S3_ADDRESSING_STYLE},
        "request_checksum_calculation": AWS_S3_CHECKSUM,
        "response_checksum_validation": AWS_S3_CHECKSUM,
        "connect_timeout": 5,
        "read_timeout": 30,
        "retries": {"mode": "standard", "total_max_attempts": 4},  # with a growing pause after 5xx and time-outs
        "max_pool_connections": 50,
    }
    AWS_S3_CLIENT_CONFIG = Config(**_client_config)
_FILE_STORAGE: dict[str, object] = (
    {"BACKEND": "storages.backends.s3.S3Storage"}
    if AWS_STORAGE_BUCKET_NAME
    else {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "files"}}
)
STORAGES = {
    "default": _FILE_STORAGE,
    "staticfiles": {"BACKEND": "chatapp.bundles.BundlingStorage"},
}
SERVESTATIC_KEEP_ONLY_HASHED_FILES = False

# What the environment says, as hashes, to tell what has changed ------------------------------------------------------

ENVIRONMENT = env.fingerprints(SECRET_KEY)
