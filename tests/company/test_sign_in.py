"""People sign in by the company's provider: who they are here, what they may, and what is never believed."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import Group, Permission
from django.test import Client
from pytest_django import Settings

from accounts.company.issuer import NotTrusted, claims_of
from accounts.company.people import NoEntry, let_in
from accounts.models import User
from audit.models import AuditEvent
from tests.company.conftest import CALLBACK, begin, come_back, sign_in
from tests.factories import make_user
from tests.fakes.company.process import Company

pytestmark = pytest.mark.django_db


def refused(answer: Any, status: int, words: str) -> None:
    """Expect a page that says why, and nobody signed in."""
    assert answer.status_code == status, answer.content
    assert words in answer.content.decode()
    assert not is_signed_in(answer.client)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_first_sign_in_makes_the_person_and_later_ones_find_them(client: Client, company: Company) -> None:
    answer = sign_in(client, company, next="/conversations/?q=a")
    assert (answer.status_code, answer["Location"]) == (302, "/conversations/?q=a")
    assert is_signed_in(client)
    person = User.objects.get()
    assert (person.username, person.email, person.first_name) == ("ada", "ada@company.example", "Ada")
    assert not any((person.has_usable_password(), person.is_staff, person.is_superuser))
    assert client.get("/conversations/").status_code == 200
    other = Client()
    assert sign_in(other, company)["Location"] == "/conversations/"
    assert User.objects.get() == person
    assert [event.kind for event in AuditEvent.objects.filter(actor_id=person.pk)] == ["account.signed_in"] * 2


def test_nothing_of_the_provider_is_kept_but_the_subject(client: Client, company: Company) -> None:
    sign_in(client, company)
    identity = SocialAccount.objects.get()
    assert (identity.provider, identity.extra_data) == (company.issuer, {})
    assert not SocialToken.objects.exists()


def test_the_way_there_is_protected_by_state_nonce_and_pkce(client: Client, company: Company) -> None:
    there = parse_qs(urlsplit(begin(client)).query)
    assert there["code_challenge_method"] == ["S256"]
    assert there["redirect_uri"] == ["http://127.0.0.1:8000/accounts/company/callback/"]
    assert set(there["scope"][0].split()) == {"openid", "profile", "email"}
    again = parse_qs(urlsplit(begin(client)).query)
    for name in ("state", "nonce", "code_challenge"):
        assert there[name] != again[name]


def test_what_the_request_says_changes_nothing_of_the_way(client: Client, company: Company) -> None:
    extra = "?scope=admin&auth_params=redirect_uri%3Dhttps://evil.example/&process=redirect&next=//evil.example"
    page = client.post(f"/accounts/company/login/{extra}", {"next": "https://evil.example/"})
    assert "evil.example" not in page.content.decode()
    assert "admin" not in page.content.decode()
    assert sign_in(client, company, next="//evil.example/")["Location"] == "/conversations/"


def test_r1_foreign_pages_begin_nothing(company: Company) -> None:
    assert Client(enforce_csrf_checks=True).post("/accounts/company/login/").status_code == 403
    assert Client().get("/accounts/company/login/").status_code == 405


def test_a13_a_return_that_was_not_begun_here_signs_nobody_in(client: Client, company: Company) -> None:
    back = company.visit(begin(Client()))  # of somebody else's browser
    refused(come_back(client, back), 401, "begun in another window")
    for query in ("", "?code=x", "?state=x", "?code=x&state=x", "?code=%ff&state=%ff", "?error=access_denied"):
        refused(client.get(CALLBACK + query), 401, "Please begin again")
    assert not User.objects.exists()


def test_a13_a_return_works_once(client: Client, company: Company) -> None:
    back = company.visit(begin(client))
    assert come_back(client, back).status_code == 302
    client.logout()
    refused(come_back(client, back), 401, "Please begin again")


def test_a13_a_code_of_another_attempt_is_refused(client: Client, company: Company) -> None:
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    stolen = parse_qs(urlsplit(company.visit(begin(Client()), "grace")).query)["code"][0]
    answer = client.get(f"{CALLBACK}?{urlencode({'state': state, 'code': stolen})}")
    refused(answer, 502, "does not answer as it should")  # PKCE: the provider does not take it
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("error", "words"), [("access_denied", "You cancelled"), ("server_error", "did not let you in")]
)
def test_who_is_not_let_in_there_is_told_so(client: Client, company: Company, error: str, words: str) -> None:
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    refused(client.get(f"{CALLBACK}?{urlencode({'state': state, 'error': error})}"), 401, words)


@pytest.mark.parametrize("wrong", [
    {"iss": "https://evil.example"}, {"aud": "another-client"}, {"aud": ["verbatim", "other"], "azp": "other"},
    {"exp": 1_000_000_000}, {"iat": 4_000_000_000}, {"nonce": "another"}, {"nonce": None}, {"sub": "999"}, {"sub": ""},
    {"sub": "x" * 192}, {"sub": "1\x00"},
], ids=["issuer", "audience", "party", "expired", "future", "nonce", "no nonce", "subject", "no subject",
        "long subject", "nul subject"])  # fmt: skip
def test_an_id_token_that_is_not_right_in_everything_signs_nobody_in(
    client: Client, company: Company, wrong: dict[str, Any]
) -> None:
    company.say("id_token", wrong)
    answer = sign_in(client, company)
    assert answer.status_code in (401, 502)
    refused(answer, answer.status_code, "Not signed in")
    assert not User.objects.exists()
    company.be_itself()
    assert sign_in(client, company).status_code == 302


def test_userinfo_of_somebody_else_signs_nobody_in(client: Client, company: Company) -> None:
    company.say("userinfo", {"ada": {"sub": "2"}})
    refused(sign_in(client, company), 401, "cannot be trusted")
    assert not User.objects.exists()


def test_people_are_known_by_their_subject_whatever_else_changes(client: Client, company: Company) -> None:
    sign_in(client, company)
    company.say("claims", {"ada": {"email": "grace@company.example", "preferred_username": "root"}})
    make_user(username="grace", email="grace@company.example")
    assert sign_in(Client(), company).status_code == 302
    person = User.objects.get(username="ada")
    assert person.email == "ada@company.example"
    assert SocialAccount.objects.get().user == person


def test_subjects_of_another_issuer_are_other_people(client: Client, company: Company, settings: Settings) -> None:
    owner = make_user(is_superuser=True, is_staff=True)
    SocialAccount.objects.create(user=owner, provider="https://sign-in.example", uid="1")
    sign_in(client, company)
    assert User.objects.count() == 2
    assert client.session["_auth_user_id"] != str(owner.pk)


def test_an_account_with_a_verified_address_is_theirs_if_it_has_no_rights(client: Client, company: Company) -> None:
    person = make_user(username="a.l", email="ada@company.example")
    person.groups.add(Group.objects.create(name="Sales"))
    assert sign_in(client, company).status_code == 302
    assert SocialAccount.objects.get().user == User.objects.get() == person
    assert AuditEvent.objects.filter(kind="account.linked", subject_id=person.pk).count() == 1


@pytest.mark.parametrize(
    "verified", [False, None, "true", 1, {"yes": True}], ids=["no", "missing", "text", "one", "odd"]
)
def test_an_address_that_is_not_verified_opens_no_account(client: Client, company: Company, verified: Any) -> None:
    make_user(email="ada@company.example")
    company.say("claims", {"ada": {"email_verified": verified}})
    refused(sign_in(client, company), 403, "There is an account with your e-mail address already")
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("kind", ["staff", "superuser", "right", "group's right"])
def test_an_account_with_rights_is_opened_by_no_address(client: Client, company: Company, kind: str) -> None:
    person = make_user(email="ada@company.example", is_staff=kind == "staff", is_superuser=kind == "superuser")
    right = Permission.objects.get(codename="review_conversation")
    if kind == "right":
        person.user_permissions.add(right)
    if kind == "group's right":
        group = Group.objects.create(name="Reviewers")
        group.permissions.add(right)
        person.groups.add(group)
    refused(sign_in(client, company), 403, "There is an account with your e-mail address already")
    assert not SocialAccount.objects.exists()


def test_the_button_signs_somebody_else_out_first(client: Client, company: Company) -> None:
    before = make_user()
    client.force_login(before)
    sign_in(client, company)
    assert client.session["_auth_user_id"] == str(User.objects.get(username="ada").pk)
    assert not SocialAccount.objects.filter(user=before).exists()


def test_a14_somebody_deactivated_stays_out(client: Client, company: Company) -> None:
    sign_in(client, company)
    User.objects.update(is_active=False)
    refused(sign_in(Client(), company), 403, "deactivated")
    SocialAccount.objects.all().delete()
    refused(sign_in(Client(), company), 403, "deactivated")


@pytest.mark.parametrize("email", [None, "", "nonsense", "a@b", 17, ["ada@company.example"],
                                   "x" * 250 + "@company.example"],
                         ids=["none", "empty", "nonsense", "no domain", "number", "list", "long"])  # fmt: skip
def test_nobody_is_made_without_an_address(settings: Settings, email: Any) -> None:
    settings.OIDC_ISSUER = "https://sign-in.example"
    with pytest.raises(NoEntry, match="e-mail address"):
        let_in(claims={"sub": "1", "email": email})
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["ADA", "ada@elsewhere.example", "", None, 17, "../../x", "a\x00b", "‮adm‬in", "x" * 300,
                                  "<script>alert(1)</script>"],
                         ids=["case", "address", "empty", "none", "number", "path", "nul", "override", "long",
                              "markup"])  # fmt: skip
def test_f6_hostile_names_make_people_with_names_of_their_own(client: Client, settings: Settings, name: Any) -> None:
    settings.OIDC_ISSUER = "https://sign-in.example"
    make_user(username="ada", email="first@company.example")
    texts = dict.fromkeys(("preferred_username", "given_name", "family_name", "name"), name)
    person = let_in(claims={"sub": "1", "email": "ada@company.example"} | texts).user
    person.full_clean(exclude=["password"])
    assert person.username.lower() != "ada"
    client.force_login(person)
    assert "<script>alert" not in client.get("/account/").content.decode()


def test_the_second_of_two_first_sign_ins_finds_the_person(settings: Settings) -> None:
    settings.OIDC_ISSUER = "https://sign-in.example"
    claims = {"sub": "17", "email": "new@company.example"}
    first = let_in(claims=claims)
    assert let_in(claims=claims).user == first.user
    with pytest.raises(NoEntry, match="already"):
        let_in(claims=claims | {"sub": "18"})
    assert User.objects.count() == 1


def test_an_id_token_cannot_be_made_with_what_everybody_knows(company: Company) -> None:
    for forged in (
        jwt.encode({"sub": "1"}, "", algorithm="none"),
        jwt.encode({"sub": "1"}, "the client's secret, which is long enough for it", algorithm="HS256"),
    ):
        with pytest.raises(NotTrusted, match="way that is accepted"):
            claims_of(forged, audience="verbatim")


@pytest.mark.parametrize(("answer", "status", "told"), [
    ([400, '{"error": "invalid_client", "hint": "canary"}'], 502, "invalid_client"),
    ([500, "canary"], 502, "OAuth2Error"), ([200, "<html>canary"], 502, "JSONDecodeError"),
    ([200, '{"access_token": "canary"}'], 401, "There is none."),
    ([200, '{"access_token": "canary", "expires_in": "soon", "id_token": "x"}'], 502, "ValueError"),
    ([200, '{"access_token": "canary", "id_token": ["x"]}'], 401, "There is none."),
    ([200, '{"access_token": {"a": "canary"}, "id_token": "canary"}'], 401, "no valid token"),
], ids=["error", "down", "page", "no id token", "odd end", "odd id token", "odd access token"])  # fmt: skip
def test_i9_what_the_provider_answers_in_error_is_neither_shown_nor_logged(
    client: Client, company: Company, caplog: pytest.LogCaptureFixture, answer: list[Any], status: int, told: str
) -> None:
    back = company.visit(begin(client))
    company.say("answers", {"/identity/o/api/token": answer})
    page = come_back(client, back)
    refused(page, status, "Not signed in")
    assert told in caplog.text
    assert "canary" not in page.content.decode() + caplog.text


def test_q5_attempts_of_one_address_are_bounded(client: Client, company: Company, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"company_sign_in": "2/m/ip"}
    answers = [client.post("/accounts/company/login/").status_code for _ in range(3)]
    assert answers == [200, 200, 429]


def test_without_the_variables_there_is_no_company_sign_in(client: Client, settings: Settings) -> None:
    assert "company account" not in client.get("/accounts/login/").content.decode()
    assert client.post("/accounts/company/login/").status_code == 404
    assert client.get(CALLBACK).status_code == 404
    settings.OIDC_ISSUER = "https://sign-in.example"
    assert "Sign in with your company account" in client.get("/accounts/login/").content.decode()
