"""Nothing is sent into a private network, however its address is written, unless a setting names the network."""

from __future__ import annotations

import ipaddress

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from chatapp import env
from webhooks.addresses import Forbidden, is_public, require_address, require_url

FORBIDDEN = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.9.10",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2a00:1450:4001::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2a00:1450:4001:81b::200e"]
HOSTILE = [
    "",
    "crm.example.com",
    "//crm.example.com/",
    "ftp://crm.example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://",
    "https:///path",
    "https://crm.example.com:0/",
    "https://crm.example.com:99999/",
    "https://crm.example.com:x/",
    "https://me:secret@crm.example.com/",
    "https://crm.example.com@127.0.0.1/",
    "https://crm.example.com/#part",
    "https://crm.example.com/a b",
    "https://crm.example.com/\r\nX-Evil: 1",
    "https://crm.example.com\\@127.0.0.1/",
    "https://crm.exämple.com/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/latest/meta-data/",
    "https://[fe80::1%25eth0]/",
    "https://[::1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1:8443/",
    "https://crm%2eexample.com/",
    "https://crm.example.com\x00.evil.example/",
    "https://crm.example.com/" + "x" * 500,
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    parsed = ipaddress.ip_address(address)
    assert not is_public(parsed)
    with pytest.raises(Forbidden, match="is not a public address"):
        require_address(parsed, scheme="https")


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_taken_with_https_alone(address: str) -> None:
    parsed = ipaddress.ip_address(address)
    require_address(parsed, scheme="https")
    with pytest.raises(Forbidden, match="Plain http"):
        require_address(parsed, scheme="http")


@pytest.mark.parametrize("address", ["10.20.3.4", "::ffff:10.20.3.4", "fd00:20::5"])
def test_a_network_of_the_setting_is_allowed_with_http_too_and_no_other(address: str, settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd00:20::/32")]
    for scheme in ("http", "https"):
        require_address(ipaddress.ip_address(address), scheme=scheme)
        for other in ("10.21.0.1", "127.0.0.1", "fd00:21::1", "::1"):
            with pytest.raises(Forbidden):
                require_address(ipaddress.ip_address(other), scheme=scheme)


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_a_url_that_is_none_or_leads_to_this_machine_is_refused_in_a_sentence(place: int) -> None:
    with pytest.raises(Forbidden) as refused:
        require_url(HOSTILE[place])
    assert str(refused.value).endswith((".", "xn--…"))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.com/verbatim",
        "https://crm:8443/hook?tenant=7",
        "https://xn--exmple-cua.com/",
        "https://8.8.8.8/",
        "https://[2a00:1450:4001:81b::200e]/",
        "https://3com.example/",
    ],
)
def test_a_url_of_a_system_is_taken(url: str) -> None:
    require_url(url)


@pytest.mark.parametrize("value", ["everything", "10.0.0.1/8", "10.20.0.0/33", "10.20.0.0/16 10.21.0.0/16"])
def test_a_setting_that_names_no_networks_is_refused_by_its_name(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_ALLOWED_NETWORKS", value)
    with pytest.raises(ImproperlyConfigured, match="WEBHOOK_ALLOWED_NETWORKS holds"):
        env.networks("WEBHOOK_ALLOWED_NETWORKS")
    monkeypatch.setenv("WEBHOOK_ALLOWED_NETWORKS", " 10.20.0.0/16, fd00::/8,")
    assert [str(network) for network in env.networks("WEBHOOK_ALLOWED_NETWORKS")] == ["10.20.0.0/16", "fd00::/8"]


def test_plain_http_needs_the_setting(settings: Settings) -> None:
    with pytest.raises(Forbidden, match="Use https"):
        require_url("http://crm.internal/")
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("10.20.0.0/16")]
    require_url("http://crm.internal/")
    with pytest.raises(Forbidden):
        require_url("http://10.21.0.1/")
