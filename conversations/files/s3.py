"""Files in a bucket, through the client that django-storages configures. Works with what speaks S3's basic calls."""

from __future__ import annotations

import copy
import functools
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from django.conf import settings
from storages.backends.s3 import S3Storage

from accounts.faults import describe
from conversations.files.objects import PREFIX, ObjectMissing, Reader, StorageProblem, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

_MISSING = {"404", "NoSuchKey", "NotFound"}
_BROKEN = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
_MAX_REOPENED = 3


class BucketFiles:
    """Objects of a bucket. The client's own settings say how long to wait and how often to try again."""

    def __init__(self, storage: S3Storage) -> None:
        self._storage = storage
        self._client = _client(storage, storage.endpoint_url)
        self.bucket: str = storage.bucket_name

    def write(self, key: str, file: BinaryIO, *, content_type: str) -> None:
        """Put an object in one request: it appears whole, or not at all, and a failed one leaves no parts."""
        with _telling("writing", key):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=file, ContentType=content_type)

    def open(self, key: str, start: int, end: int | None) -> Reader:
        """Ask for an object from byte `start` up to, not including, `end`."""
        return _Download(self._client, self.bucket, key, start, end)

    def size_of(self, key: str) -> int | None:
        """Return the size of an object; None when there is none."""
        try:
            with _telling("asking for", key):
                return self._client.head_object(Bucket=self.bucket, Key=key)["ContentLength"]
        except ObjectMissing:
            return None

    def delete(self, key: str) -> None:
        """Delete an object, with all its versions where the bucket keeps them; a missing one is fine."""
        try:
            with _telling("deleting", key):
                # Only a bucket with versions names one here, so others need no right to list or delete them.
                if "VersionId" in self._client.delete_object(Bucket=self.bucket, Key=key):
                    self._delete_versions(key)
        except ObjectMissing:
            pass

    def clear_up(self, key: str) -> None:
        """Do nothing: an object is put in one request, which leaves nothing where it breaks off."""

    def _delete_versions(self, key: str) -> None:
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=key):
            for version in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                if version["Key"] == key:
                    self._client.delete_object(Bucket=self.bucket, Key=key, VersionId=version["VersionId"])

    def listing(self, prefix: str = PREFIX) -> Iterator[StoredObject]:
        """Yield every object of ours."""
        with _telling("listing", prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for found in page.get("Contents", []):
                    yield StoredObject(found["Key"], found["Size"], found["LastModified"])

    def signed_url(self, key: str, *, disposition: str, content_type: str) -> str | None:
        """Return a link for a browser, or None when browsers cannot reach the bucket. Nothing is asked of storage."""
        public = settings.AWS_S3_PUBLIC_ENDPOINT_URL
        if self._storage.endpoint_url and not public:
            return None
        wanted = {
            "Bucket": self.bucket,
            "Key": key,
            "ResponseContentDisposition": disposition,
            "ResponseContentType": content_type,
        }
        with _telling("signing", key):
            # AWS's address is named with its region: without, links lead to another host, which redirects for a while.
            endpoint = public or self._client.meta.endpoint_url
            return _client(self._storage, endpoint).generate_presigned_url(
                "get_object", Params=wanted, ExpiresIn=self._storage.querystring_expire
            )


class _Download:
    """An object on its way. A connection that breaks in the middle is made again from where it was."""

    def __init__(self, client: S3Client, bucket: str, key: str, start: int, end: int | None) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        self._position, self._end = start, end
        self._version: dict[str, str] = {}  # goes on with the very object that was begun, or fails
        self._reopened = 0
        self._body = self._ask()

    def read(self, amount: int, /) -> bytes:
        while True:
            try:
                chunk: bytes = self._body.read(amount)
            except _BROKEN as error:
                self._body.close()
                if self._reopened == _MAX_REOPENED:
                    raise StorageProblem(f"reading {self._key}: {type(error).__name__}") from error
                self._reopened += 1
                self._body = self._ask()
            except BotoCoreError as error:
                if isinstance(error, FlexibleChecksumError):
                    logger.error("Storage gave other bytes for %s than were put there", self._key)  # noqa: TRY400
                raise StorageProblem(f"reading {self._key}: {type(error).__name__}") from error
            else:
                self._position += len(chunk)
                return chunk

    def close(self) -> None:
        self._body.close()

    def _ask(self) -> Any:
        if self._end is not None and self._position >= self._end:
            return io.BytesIO()
        wanted: dict[str, str] = dict(self._version)
        if self._position or self._end is not None:
            wanted["Range"] = f"bytes={self._position}-{'' if self._end is None else self._end - 1}"
        with _telling("reading", self._key):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._key, **wanted)  # type: ignore[arg-type]
            except ClientError as error:
                if error.response["Error"]["Code"] == "InvalidRange":  # from its end on there is nothing
                    return io.BytesIO()
                raise
        if "Range" in wanted and not answer.get("ContentRange"):
            answer["Body"].close()
            raise StorageProblem(f"reading {self._key}: a part was asked for, and the whole came")
        self._version = {"IfMatch": answer["ETag"]}
        return answer["Body"]


@functools.lru_cache(maxsize=8)
def _client(storage: S3Storage, endpoint: str | None) -> S3Client:
    """Return the one client for an endpoint: clients may be shared by threads, and take 0.1 s and 10 MB to make."""
    if endpoint != storage.endpoint_url:
        storage = copy.copy(storage)
        storage.endpoint_url = endpoint
    client: S3Client = storage.connection.meta.client
    return client


@contextmanager
def _telling(what: str, key: str) -> Iterator[None]:
    """Turn the library's errors into ours; of an answer only its code is told, since it may repeat what was sent."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        kind = ObjectMissing if code in _MISSING else StorageProblem
        raise kind(f"{what} {key}: {code}") from error
    except BotoCoreError as error:
        raise StorageProblem(f"{what} {key}: {describe(error)}") from error
