"""Settings that are the same in every installation: headers, the REST framework, its OpenAPI document, CORS, logs."""

from typing import Any

from django.utils.csp import CSP

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],  # data: is the admin's own icons
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.JWTAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["rest.throttles.MinuteThrottle"],
    "DEFAULT_PARSER_CLASSES": ["rest.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "rest.schema.OperationSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "rest.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Verbatim",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/(api/)?v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_SUFFIX": "",
    "ENUM_NAME_OVERRIDES": {
        "ConversationState": "conversations.models.Conversation.State",
        "FileState": "conversations.api.serializers.messages.FILE_STATES",
        "EventKind": "conversations.models.Event.Kind",
        "FileOrigin": "conversations.models.Attachment.Origin",
        "MessageStatus": "conversations.models.Message.Status",
        "MessageRole": "conversations.models.Message.Role",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "rest.schema.document.complete"],
}

CORS_URLS_REGEX = r"^/(api|v1)/"
CORS_EXPOSE_HEADERS = (
    "ETag",
    "Location",
    "Retry-After",
    "Preference-Applied",
    "Idempotency-Replayed",
    "X-Conversation-Id",
)
CORS_ALLOW_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "prefer",
)
CORS_ALLOW_CREDENTIALS = False  # other origins bring a token; the cookies of this one are none of theirs

# Logs: what happened to which row, never what was said ---------------------------------------------------------------

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        "procrastinate": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "openai": {"level": "WARNING"},
    },
}
