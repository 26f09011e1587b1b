"""Bearer tokens of the company's provider, for the API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client, RequestFactory
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from pytest_django import Settings
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.access import OWN
from accounts.authentication import CannotTell, JWTAuthentication
from accounts.company.issuer import NotTrusted, Provider, ProviderAway
from accounts.models import User
from accounts.tokens import still_holds
from tests.company.conftest import connect
from tests.factories import make_user
from tests.fakes.company.process import Company

pytestmark = pytest.mark.django_db
type Sign = Callable[..., str]


@pytest.fixture
def person(company: Company) -> User:
    person = make_user()
    SocialAccount.objects.create(user=person, provider=company.issuer, uid="1")
    return person


@pytest.fixture
def sign(company: Company) -> Sign:
    """Sign an access token as the provider does; a claim that is None is left out."""
    (kid,) = [key["kid"] for key in requests.get(f"{company.issuer}/.well-known/jwks.json", timeout=10).json()["keys"]]

    def sign(key: Any = company.key, algorithm: str = "RS256", kid: Any = kid, **changed: Any) -> str:
        now = int(time.time())
        claims = {"iss": company.issuer, "aud": "verbatim-api", "sub": "1", "iat": now, "exp": now + 300} | changed
        claims = {name: value for name, value in claims.items() if value is not None}
        headers = {} if kid is None else {"kid": kid}
        return jwt.encode(claims, key, algorithm=algorithm, headers=headers)

    return sign


def authenticate(token: str) -> Any:
    request = RequestFactory().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {token}")
    return JWTAuthentication().authenticate(Request(request))


def test_a_token_of_the_provider_acts_for_who_has_its_subject(person: User, sign: Sign) -> None:
    user, access = authenticate(sign())
    assert user == person
    assert (access.kind, access.scopes, access.token_id) == ("jwt", OWN, None)
    assert still_holds(user_id=user.pk, access=access)
    _, old = authenticate(sign(exp=int(time.time()) - 10))
    assert old.expires_at < access.expires_at


def test_r3_the_api_takes_it_without_a_cookie(client: Client, person: User, sign: Sign) -> None:
    answer = client.get("/api/v1/me/", headers={"Authorization": f"Bearer {sign()}"})
    assert answer.status_code == 200
    for wrong in (sign(aud="else"), "nonsense", ""):
        answer = client.get("/api/v1/me/", headers={"Authorization": f"Bearer {wrong}"})
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
        assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("changed", "said"), [
    ({"aud": "verbatim"}, "audience"), ({"aud": ["a", "b"]}, "audience"), ({"aud": None}, "no valid token"),
    ({"iss": "https://evil.example"}, "issuer"), ({"iss": None}, "no valid token"),
    ({"exp": 1_000_000_000}, "expired"), ({"exp": None}, "no valid token"), ({"exp": "soon"}, "no valid token"),
    ({"exp": 10**400}, "time that there is not"), ({"nbf": 4_000_000_000}, "no valid token"),
    ({"iat": None}, "no valid token"),
    ({"sub": None}, "no valid token"), ({"sub": "2"}, "Nobody here"), ({"sub": ""}, "subject"),
    ({"sub": "1\x00"}, "subject"), ({"sub": "x" * 192}, "subject"), ({"kid": "unknown"}, "key"),
    ({"nonce": "n"}, "ID token"), ({"at_hash": "n"}, "ID token"),
], ids=["audience", "audiences", "no audience", "issuer", "no issuer", "expired", "endless", "odd end", "far end",
        "early", "no beginning", "no subject", "unknown", "empty subject", "nul", "long", "key", "id token",
        "id token too"])  # fmt: skip
def test_a8_a_token_that_is_not_right_in_everything_is_refused(
    person: User, sign: Sign, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(AuthenticationFailed, match=said):
        authenticate(sign(**changed))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "." * 500, "ey", "é.é.é", "e30.e30.", "eyJhbGciOm51bGx9.e30.",
                                   "eyJhbGciOiJSUzI1NiIsImtpZCI6MX0.e30.x"],
                         ids=["empty", "letter", "parts", "dots", "start", "not ascii", "none", "null",
                              "number"])  # fmt: skip
def test_a8_what_is_no_token_at_all_is_refused(company: Company, token: str) -> None:
    with pytest.raises(AuthenticationFailed):
        authenticate(token)


def test_a8_a_token_signed_by_others_or_weakly_is_refused(person: User, sign: Sign) -> None:
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = jwt.PyJWK(requests.get(f"{_issuer(sign)}/.well-known/jwks.json", timeout=10).json()["keys"][0])
    pem = json.dumps(RSAAlgorithm.to_jwk(public.key))
    for wrong in (
        sign(key=foreign),
        sign(key="", algorithm="none"),
        sign(key=pem.ljust(64), algorithm="HS256"),  # the public key as if it were a secret
        sign(key=ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"),
        sign()[:-4] + "AAAA",
    ):
        with pytest.raises(AuthenticationFailed):
            authenticate(wrong)


def test_a_key_is_used_in_the_way_that_it_names_alone(company: Company, person: User, sign: Sign) -> None:
    (key,) = requests.get(f"{company.issuer}/.well-known/jwks.json", timeout=10).json()["keys"]
    company.say("answers", {"/.well-known/jwks.json": [200, json.dumps({"keys": [key | {"alg": "RS256"}]})]})
    provider = Provider(company.issuer)
    assert provider.key(key["kid"], "RS256")
    assert provider.key(None, "RS256")  # there is but one
    with pytest.raises(NotTrusted, match="way that is accepted"):
        provider.key(key["kid"], "RS512")


def _issuer(sign: Sign) -> str:
    return str(jwt.decode(sign(), options={"verify_signature": False})["iss"])


def test_a8_a_token_dies_with_its_person(person: User, sign: Sign) -> None:
    _, access = authenticate(sign())
    User.objects.update(is_active=False)
    with pytest.raises(AuthenticationFailed, match="deactivated"):
        authenticate(sign())
    assert not still_holds(user_id=person.pk, access=access)


def test_none_is_taken_unless_an_audience_is_set(person: User, sign: Sign, settings: Settings) -> None:
    settings.OIDC_AUDIENCE = ""
    with pytest.raises(AuthenticationFailed, match="no such token"):
        authenticate(sign())


def test_keys_that_are_new_are_found_and_made_up_ones_asked_for_seldom(company: Company, sign: Sign) -> None:
    provider = Provider(company.issuer, pause_seconds=600)
    (known,) = requests.get(f"{company.issuer}/.well-known/jwks.json", timeout=10).json()["keys"]
    assert provider.key(known["kid"], "RS256").algorithm_name == "RS256"
    fresh = ec.generate_private_key(ec.SECP256R1())
    added = json.loads(ECAlgorithm.to_jwk(fresh.public_key())) | {"kid": "fresh"}
    company.say("answers", {"/.well-known/jwks.json": [200, json.dumps({"keys": [known, added]})]})
    assert provider.key("fresh", "ES256").algorithm_name == "ES256"
    company.say("answers", {"/.well-known/jwks.json": [200, json.dumps({"keys": [added | {"kid": "later"}]})]})
    with pytest.raises(NotTrusted, match="key"):  # one was asked for a moment ago
        provider.key("later", "ES256")
    assert provider.key("fresh", "ES256")


@pytest.mark.parametrize("keys", ['{"keys": 1}', "{}", "[]", "nonsense", '{"keys": [1, {}]}',
                                  '{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "HS256"}]}',
                                  '{"keys": [{"kty": "RSA", "kid": "x", "n": "AQAB", "e": "é"}]}',
                                  '{"keys": [{"kty": "RSA", "kid": "x", "use": "enc"}]}'],
                         ids=["number", "none", "list", "nonsense", "odd", "secret", "broken",
                              "encryption"])  # fmt: skip
def test_keys_that_make_no_sense_open_nothing(company: Company, keys: str) -> None:
    company.say("answers", {"/.well-known/jwks.json": [200, keys]})
    with pytest.raises((NotTrusted, ProviderAway)):
        Provider(company.issuer).key("x", "RS256")


@pytest.mark.parametrize(("status", "body"), [
    (503, "{}"), (302, ""), (200, "<html>"), (200, "[]"), (200, "{}"), (200, '{"issuer": "https://evil.example"}'),
    (200, "x" * 1_100_000),
], ids=["down", "elsewhere", "page", "list", "empty", "another", "much"])  # fmt: skip
def test_a_provider_that_is_not_what_it_says_is_asked_nothing(
    client: Client, company: Company, status: int, body: str
) -> None:
    company.say("answers", {"/.well-known/openid-configuration": [status, body]})
    with pytest.raises(ProviderAway):
        Provider(company.issuer).document()


def test_endpoints_that_secrets_must_not_travel_to_are_refused(company: Company) -> None:
    document = requests.get(f"{company.issuer}/.well-known/openid-configuration", timeout=10).json()
    for name in ("token_endpoint", "authorization_endpoint", "jwks_uri"):
        for wrong in ("http://sign-in.example/x", "javascript:alert(1)", "file:///etc/passwd", None, 17, "http://[x"):
            answer = json.dumps(document | {name: wrong})
            company.say("answers", {"/.well-known/openid-configuration": [200, answer]})
            with pytest.raises(ProviderAway, match=name):
                Provider(company.issuer).document()


def test_while_the_provider_is_away_what_it_said_before_holds(company: Company) -> None:
    provider = Provider(company.issuer, keys_seconds=0, pause_seconds=0)
    (known,) = requests.get(f"{company.issuer}/.well-known/jwks.json", timeout=10).json()["keys"]
    first = provider.key(known["kid"], "RS256")
    company.say("answers", {"/.well-known/jwks.json": [503, ""]})
    assert provider.key(known["kid"], "RS256").key_id == first.key_id


def test_i10_a_provider_that_is_down_is_told_of_and_keeps_nobody_else_out(
    client: Client, db: None, settings: Settings
) -> None:
    connect(settings, "http://127.0.0.1:9")  # nothing listens there
    with pytest.raises(CannotTell):
        authenticate(token := jwt.encode({"sub": "1"}, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"))
    answer = client.get("/api/v1/me/", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    answer = client.post("/accounts/company/login/")
    assert answer.status_code == 502
    assert "sign in with a password" in answer.content.decode()
    make_user(username="ada", password="a-fair-password-17")
    answer = client.post("/accounts/login/", {"login": "ada", "password": "a-fair-password-17"})
    assert answer.status_code == 302
