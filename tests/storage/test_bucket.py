"""Files in a bucket of a real S3 server: what it is asked, who may, and what a signed link is good for."""

from __future__ import annotations

import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from pytest_django import Settings

from conversations.files import storage
from tests.fakes.faulty_proxy import FaultyProxy
from tests.fakes.s3 import FakeS3, use_bucket
from tests.storage.conftest import Put

CONTENT = b"year,sum\n2026,1\n"
NAME = 'report "Q3" für alle.csv'


def fetch(url: str, **headers: str) -> tuple[bytes, Mapping[str, str]]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.read(), answer.headers


def status(url: str) -> int:
    try:
        fetch(url)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    return 200


def changed(url: str, **values: str) -> str:
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query)) | {
        name.replace("_", "-"): value for name, value in values.items()
    }
    return parts._replace(query=urllib.parse.urlencode(query, quote_via=urllib.parse.quote, safe="")).geturl()


def test_objects_are_in_the_bucket_as_they_are_with_their_type(s3: FakeS3, bucket: str, put: Put) -> None:
    key = put(CONTENT)
    found = s3.client.get_object(Bucket=bucket, Key=key)
    assert (found["Body"].read(), found["ContentType"]) == (CONTENT, "text/csv")
    assert found["Metadata"] == {}
    assert storage.bucket() == bucket


def test_an_upload_is_one_request_with_the_bucket_in_its_path_and_no_acl_or_tag(proxy: FaultyProxy, put: Put) -> None:
    key = put(bytes(20_000_000))
    assert [path for method, path in proxy.seen if method == "PUT"] == [f"/{storage.bucket()}/{key}"]
    assert {method for method, _ in proxy.seen} == {"HEAD", "PUT", "GET"}
    assert not [name for name in proxy.headers if "acl" in name or "tag" in name.replace("etag", "")]


@pytest.mark.parametrize("mode", ["when_supported", "when_required"])
def test_both_checksum_modes_work(
    mode: str, s3: FakeS3, proxy: FaultyProxy, settings: Settings, monkeypatch: pytest.MonkeyPatch, put: Put
) -> None:
    environment = s3.environment(storage.bucket(), endpoint=proxy.url) | {"AWS_S3_CHECKSUM": mode}
    use_bucket(settings, monkeypatch, environment)
    key = put(CONTENT)
    assert storage.read(key) == CONTENT
    sent = any(name.startswith("x-amz-checksum") for name in proxy.headers)
    assert sent == (mode == "when_supported")


def test_the_client_gives_up_in_bounded_time(bucket: str, settings: Settings) -> None:
    config = settings.AWS_S3_CLIENT_CONFIG
    assert (config.connect_timeout, config.read_timeout) == (5, 30)
    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
    assert (config.request_checksum_calculation, config.response_checksum_validation) == ("when_supported",) * 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_S3_CHECKSUM", "never"),
        ("AWS_S3_CHECKSUM", "WHEN_REQUIRED"),
        ("AWS_S3_PUBLIC_ENDPOINT_URL", "files.example.org"),
        ("AWS_S3_PUBLIC_ENDPOINT_URL", "s3://files"),
    ],
)
def test_p11_nonsense_is_refused_by_name(
    s3: FakeS3, bucket: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} .*\.$"):
        use_bucket(settings, monkeypatch, s3.environment(bucket) | {name: value})


def test_a_wrong_secret_is_refused(
    s3: FakeS3, bucket: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, put: Put
) -> None:
    key = put(CONTENT)
    environment = s3.environment(bucket) | {"AWS_SECRET_ACCESS_KEY": "not the secret of this key"}
    use_bucket(settings, monkeypatch, environment)
    for ask in (storage.read, storage.size_of, storage.delete):
        with pytest.raises(storage.StorageProblem) as told:
            ask(key)
        assert not isinstance(told.value, storage.ObjectMissing)
        assert "not the secret" not in str(told.value)
    assert s3.keys(bucket) == [key]


def test_a_missing_bucket_is_a_problem_and_no_empty_list(
    s3: FakeS3, settings: Settings, monkeypatch: pytest.MonkeyPatch, put: Put
) -> None:
    use_bucket(settings, monkeypatch, s3.environment("nobody-made-this"))
    with pytest.raises(storage.StorageProblem):
        list(storage.list_keys())
    with pytest.raises(storage.StorageProblem):
        put(CONTENT)


def test_the_key_of_the_application_may_do_no_more_than_the_documents_ask_for(bucket: str, put: Put) -> None:
    put(CONTENT)  # proves that it may do what it needs
    s3_storage: Any = storages["default"]
    client = s3_storage.connection.meta.client
    for refused in (client.create_bucket, client.delete_bucket, client.get_bucket_acl, client.get_bucket_policy):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused(Bucket=bucket)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_object(Bucket=bucket, Key="elsewhere/x", Body=b"")


def test_more_than_a_thousand_objects_are_listed(s3: FakeS3, bucket: str) -> None:
    keys = sorted(storage.new_key() for _ in range(2_005))
    s3.fill(bucket, [*keys, "files/of somebody else", "elsewhere"])
    assert sorted(found.key for found in storage.list_keys()) == keys


def test_deleting_takes_every_version_with_it(
    s3: FakeS3, settings: Settings, monkeypatch: pytest.MonkeyPatch, put: Put
) -> None:
    bucket = s3.make_bucket(versioned=True)
    use_bucket(settings, monkeypatch, s3.environment(bucket))
    key, other = put(CONTENT), put(CONTENT)
    s3.client.put_object(Bucket=bucket, Key=key, Body=b"an older tool wrote over it")
    s3.client.delete_object(Bucket=bucket, Key=key)

    storage.delete(key)
    storage.delete(key)

    left = s3.client.list_object_versions(Bucket=bucket)
    assert [version["Key"] for version in left["Versions"]] == [other]
    assert "DeleteMarkers" not in left


@pytest.fixture
def public(s3: FakeS3, bucket: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application reaches the bucket at one address, browsers at another."""
    address = s3.endpoint.replace("127.0.0.1", "localhost")
    use_bucket(settings, monkeypatch, s3.environment(bucket) | {"AWS_S3_PUBLIC_ENDPOINT_URL": address})


def link(put: Put) -> str:
    url = storage.signed_url(put(CONTENT), name=NAME, content_type="application/octet-stream")
    assert url is not None
    return url


def test_no_link_is_made_to_an_endpoint_that_browsers_cannot_reach(bucket: str, put: Put) -> None:
    assert storage.signed_url(put(CONTENT), name=NAME, content_type="text/csv") is None


def test_links_to_aws_name_the_region(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "AWS_STORAGE_BUCKET_NAME": "record",
        "AWS_S3_REGION_NAME": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "an id",
        "AWS_SECRET_ACCESS_KEY": "a secret",
    }
    use_bucket(settings, monkeypatch, environment)
    url = storage.signed_url(storage.new_key(), name=NAME, content_type="text/csv")
    assert url is not None
    assert urllib.parse.urlsplit(url).hostname in (
        "s3.eu-central-1.amazonaws.com",
        "record.s3.eu-central-1.amazonaws.com",
    )


@pytest.mark.usefixtures("public")
def test_a_signed_link_downloads_under_the_name_and_type_that_were_signed(put: Put) -> None:
    url = link(put)
    assert urllib.parse.urlsplit(url).hostname == "localhost"
    content, headers = fetch(url)
    assert content == CONTENT
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment;")
    assert "%C3%BC" in headers["Content-Disposition"]
    assert fetch(url, Range="bytes=5-7")[0] == CONTENT[5:8]
    assert status(changed(url, X_Amz_Expires="60")) == 200  # as it was: what is refused below is the change


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    "values",
    [
        {"response_content_type": "text/html"}, {"response_content_disposition": "inline"}, {"X_Amz_Expires": "604800"},
        {"X_Amz_Date": "20990101T000000Z"}, {"X_Amz_Signature": "0" * 64}, {"versionId": "null"},
        {"X_Amz_Credential": "x/y/z/s3/aws4_request"},
    ],
)  # fmt: skip
def test_s10_a_signed_link_with_changed_parameters_is_refused(put: Put, values: dict[str, str]) -> None:
    assert status(changed(link(put), **values)) == 403


@pytest.mark.usefixtures("public")
def test_s10_a_signed_link_opens_no_other_key_and_nothing_without_its_signature(put: Put) -> None:
    other, url = put(b"somebody else's"), link(put)
    parts = urllib.parse.urlsplit(url)
    assert status(parts._replace(path=f"/{storage.bucket()}/{other}").geturl()) == 403
    assert status(parts._replace(path=f"/{storage.bucket()}/").geturl()) == 403
    assert status(parts._replace(query="").geturl()) == 403


@pytest.mark.usefixtures("public")
def test_s10_a_signed_link_ends(put: Put) -> None:
    key = put(CONTENT)
    s3_storage: Any = storages["default"]
    s3_storage.querystring_expire = 5  # seconds, in which a busy machine gets round to the first question
    url = storage.signed_url(key, name=NAME, content_type="text/csv")
    assert url is not None
    assert status(url) == 200
    time.sleep(6.1)
    assert status(url) == 403
