"""A real S3 server over HTTP as a process of its own, for tests: see `s3_server`."""

from __future__ import annotations

import functools
import json
import os
import re
import runpy
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from pytest_django.fixtures import Settings

from tests.fakes.child import ROOT, FakeServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def policy_of_the_documents() -> dict[str, Any]:
    """Return the policy that docs/deployment.md asks for, with any bucket in place of its own."""
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    found = re.search(r"```json\n(.*?)```", text, flags=re.DOTALL)
    assert found is not None
    policy: dict[str, Any] = json.loads(found[1].replace(":::BUCKET", ":::*"))
    return policy


class FakeS3(FakeServer):
    """The server on a free port, with no bucket. Its keys may do what docs/deployment.md asks for; `client` all."""

    name = "S3 server"

    def __init__(self) -> None:
        super().__init__("tests.fakes.s3_server")
        self.endpoint = self.access_key = self.secret_key = ""
        self._root = ("", "")

    def greet(self, process: subprocess.Popen[bytes]) -> bytes:
        """Tell it the policy of its keys."""
        return self._tell(policy_of_the_documents())

    def note(self, first_line: bytes) -> None:
        """Keep its address and keys."""
        told = json.loads(first_line)
        self.endpoint = f"http://127.0.0.1:{told['port']}"
        self._root = tuple(told["root"])
        self.access_key, self.secret_key = told["app"]

    @functools.cached_property
    def client(self) -> S3Client:
        """A client that may do everything, for looking at what is there."""
        key_id, secret = self._root
        config = Config(s3={"addressing_style": "path"}, proxies={})
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=config,
        )

    def make_bucket(self, *, versioned: bool = False) -> str:
        """Make a bucket of its own for a test and return its name."""
        name = f"record-{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        if versioned:
            self.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def fill(self, bucket: str, keys: Sequence[str]) -> None:
        """Make many objects of one byte, faster than by requests."""
        self._tell({"bucket": bucket, "keys": list(keys)})

    def _tell(self, value: object) -> bytes:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def keys(self, bucket: str) -> list[str]:
        """The keys of all objects of a bucket."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def environment(self, bucket: str, *, endpoint: str = "") -> dict[str, str]:
        """What an installation sets to use a bucket."""
        return {
            "AWS_STORAGE_BUCKET_NAME": bucket,
            "AWS_S3_ENDPOINT_URL": endpoint or self.endpoint,
            "AWS_S3_REGION_NAME": "us-east-1",
            "AWS_S3_ADDRESSING_STYLE": "path",
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }


def use_bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    """Have this process use the bucket that an environment names, through the very settings of production."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    values = runpy.run_path(os.fspath(ROOT / "chatapp" / "settings.py"))
    for name, value in values.items():
        if name.startswith("AWS_"):
            setattr(settings, name, value)
    settings.STORAGES = settings.STORAGES | {"default": values["STORAGES"]["default"]}
