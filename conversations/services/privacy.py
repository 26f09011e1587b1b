"""What outsiders may know of a person."""

from django.utils.crypto import salted_hmac


def safety_identifier(user_id: int) -> str:
    """Return a stable pseudonym of a user for the provider: 64 hex digits that only our secret key can link.

    OpenAI, "Safety best practices": a hashed identifier of at most 64 characters, no name and no e-mail.
    """
    return salted_hmac("conversations.safety_identifier", str(user_id), algorithm="sha256").hexdigest()
