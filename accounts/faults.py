"""What went wrong on the way to another system, in words for the log."""

import ssl


def describe(error: BaseException) -> str:
    """Return the kind of an error and why a certificate was not accepted; nothing that the other side said."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{type(error).__name__}, {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
