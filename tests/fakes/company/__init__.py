"""A company's OpenID provider: allauth's own, as a site in a process of its own."""

PASSWORD = "a-fair-password-17"
