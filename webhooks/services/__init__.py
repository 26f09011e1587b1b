"""Writes of webhooks: keyword-only, one transaction each."""

from webhooks.services.endpoints import (
    equip,
    forget_former_secrets,
    make_new_secret,
    purge_deliveries,
    replay_from,
    send_again,
    send_test,
)
from webhooks.services.sending import (
    Outcome,
    Parcel,
    claim_endpoints,
    next_parcel,
    note_outcome,
    release_endpoint,
)

__all__ = [
    "Outcome",
    "Parcel",
    "claim_endpoints",
    "equip",
    "forget_former_secrets",
    "make_new_secret",
    "next_parcel",
    "note_outcome",
    "purge_deliveries",
    "release_endpoint",
    "replay_from",
    "send_again",
    "send_test",
]
