"""Sign-in by the company's own OpenID provider, as the variables OIDC_* say."""
