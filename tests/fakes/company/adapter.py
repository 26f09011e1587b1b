"""What the provider says of people: what a test wrote into its folder."""

import json
import os
from pathlib import Path
from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter


def said(name: str) -> Any:
    """Return a file of the folder, as it is now."""
    file = Path(os.environ["COMPANY_FOLDER"]) / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else {}


class CompanyAdapter(DefaultOIDCAdapter):  # type: ignore[misc]
    """Claims of each person, by username; access tokens are for the audience that the test wants."""

    def get_claims(self, purpose: str, user: Any, client: Any, scopes: Any, **kwargs: Any) -> dict[str, Any]:
        """Add to allauth's claims, or put in place of them; what is null is left out."""
        claims = super().get_claims(purpose, user, client, scopes, **kwargs) | said("claims").get(user.username, {})
        if purpose == "userinfo":
            claims |= said("userinfo").get(user.username, {})
        return {name: value for name, value in claims.items() if value is not None}

    def populate_id_token(self, id_token: dict[str, Any], client: Any, scopes: Any, **kwargs: Any) -> None:
        """Say in ID tokens what a test wants to be wrong with them."""
        id_token.update(said("id_token"))

    def populate_access_token(self, access_token: dict[str, Any], **kwargs: Any) -> None:
        """Name the API as the audience."""
        access_token["aud"] = "verbatim-api"
