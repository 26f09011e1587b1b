"""Examples of the feed, as the API's document shows them."""

from rest.schema import example

_CONVERSATION = "0199c3a4-8a5e-7c1b-9d22-5b7f3a6e1c04"
_CONCLUDED = {
    "id": "5f0e7f0c-6a9b-5a54-9f3e-6d0a2c4c1b77",
    "seq": 4021,
    "kind": "conversation.concluded",
    "created_at": "2026-11-22T09:30:04.218000Z",
    "conversation": _CONVERSATION,
    "data": {
        "conversation": _CONVERSATION,
        "owner": "17",
        "concluded_at": "2026-11-22T09:30:01.000000Z",
        "concluded_by": "owner",
        "document": {
            "format": 1,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "size": 18231,
            "address": "s3://company-chat/files/0199c3a48b0f7d21",
            "url": f"https://chat.example.com/api/v1/conversations/{_CONVERSATION}/document/",
        },
    },
}
FEED = example("Events", {"results": [_CONCLUDED], "after": 4021, "has_more": False})
