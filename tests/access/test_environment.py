"""Settings come from the environment; what makes no sense is refused by name, and no secret is repeated."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

ROOT = settings.BASE_DIR
GOOD = {
    "SECRET_KEY": "only-long-enough-0123456789-abcdefghijklmnopqrstuvwxyz",
    "DATABASE_URL": "postgresql://somebody:pass-canary@db.example.org:5433/record?sslmode=require",
}
HTTPS = GOOD | {"PUBLIC_URL": "https://chat.example.org", "AWS_STORAGE_BUCKET_NAME": "record"}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read the settings file in an environment that holds nothing else."""

    def read(environment: dict[str, str]) -> dict[str, Any]:
        for name in os.environ:
            if name.isupper() and name not in ("PATH", "HOME", "VAR_DIR"):
                monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "chatapp" / "settings.py"))

    return read


def without(environment: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in environment.items() if key != name}


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        (without(GOOD, "SECRET_KEY"), "SECRET_KEY"),
        (GOOD | {"SECRET_KEY": ""}, "SECRET_KEY"),
        (GOOD | {"SECRET_KEY": "changeme"}, "SECRET_KEY"),
        (without(GOOD, "DATABASE_URL"), "DATABASE_URL"),
        (without(HTTPS, "AWS_STORAGE_BUCKET_NAME"), "AWS_STORAGE_BUCKET_NAME"),
        (HTTPS | {"DEBUG": "true"}, "DEBUG"),
        (GOOD | {"PUBLIC_URL": "http://chat.example.org"}, "PUBLIC_URL"),
    ],
)
def test_p11_what_is_missing_or_unsafe_is_refused_by_name(read: Any, environment: dict[str, str], name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"\b{name}\b.*\.$"):
        read(environment)


NONSENSE = {
    "PORT": ("eight", "0", "-1", "65536", "80.5", "٨٠٠٠"),
    "PUBLIC_URL": ("chat.example.org", "ftp://chat.example.org", "https://", "https://user:secret@chat.example.org",
                   "javascript:alert(1)"),
    "DEBUG": ("maybe", "2", "tru"),
    "TRUSTED_PROXY_COUNT": ("-1", "many", "11"),
    "SECRET_KEY": ("short",),
    "DATABASE_URL": ("mysql://u:secret@h/d", "nonsense", "postgresql://", "sqlite:///db", "postgresql://h:secret/"),
    "OPENAI_BASE_URL": ("api.openai.com", "file:///etc/passwd", "https://user:secret@host/v1"),
    "OPENAI_BACKGROUND": ("perhaps",),
    "MAX_PROMPT_CHARS": ("0", "-5", "1e5", "many", "1000001"),
    "AWS_S3_ENDPOINT_URL": ("storage:7070", "s3://bucket"),
    "AWS_S3_ADDRESSING_STYLE": ("paths", "PATH"),
    "OIDC_ISSUER": ("sign-in.example.org", "http://sign-in.example.org", "https://user:secret@sign-in.example.org",
                    "file:///etc/passwd", "https://sign-in.example.org"),  # the last without a client
    "OIDC_CLIENT_ID": ("verbatim",),  # without an issuer
    "OIDC_SCOPES": ("profile email", "openidx"),
    "OIDC_GROUPS": ("chat-reviewers", "=Reviewers", "chat-reviewers=", "a=b,c"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in NONSENSE.items() for value in values])
def test_p11_nonsense_is_refused_by_name(read: Any, name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read(GOOD | {name: value})
    sentence = str(refused.value)
    assert name in sentence
    assert sentence.endswith(".")
    assert "secret" not in sentence
    assert "pass-canary" not in sentence


@pytest.mark.parametrize(
    ("name", "value"), [("ALLOWED_HOSTS", "https://chat.example.org"), ("CSRF_TRUSTED_ORIGINS", "chat.example.org")]
)
def test_p11_entries_of_lists_that_could_never_match_are_refused_by_name(read: Any, name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        read(HTTPS | {name: value})


def test_what_is_not_set_has_a_safe_default(read: Any) -> None:
    values = read(GOOD)
    assert (values["DEBUG"], values["PORT"], values["PUBLIC_URL"]) == (False, 8000, "http://127.0.0.1:8000")
    assert values["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]"]
    assert (values["AWS_S3_FILE_OVERWRITE"], values["AWS_QUERYSTRING_EXPIRE"]) == (False, 60)
    assert values["SECURE_PROXY_SSL_HEADER"] is None
    assert values["DATABASES"]["default"]["OPTIONS"]["sslmode"] == "require"


def test_p11_the_server_does_not_start_and_says_why_in_its_last_line() -> None:
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": os.environ["VAR_DIR"]} | without(HTTPS, "SECRET_KEY")
    command = [sys.executable, "-c", "import chatapp.asgi"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "SECRET_KEY is not set." in ended.stderr.strip().splitlines()[-1]
    assert "pass-canary" not in ended.stderr
