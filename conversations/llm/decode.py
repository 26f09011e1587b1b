"""From the bytes of a server-sent event stream to JSON values, exactly and cheaply, however the bytes are cut."""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from conversations.text import clean_text

_DATA = b"data:"
_LF = 0x0A
_CR = 0x0D


class EventDecoder:
    """Collects bytes and gives back the data of every event that is complete ("Server-sent events", HTML standard).

    Only `data` matters here, since the Responses API repeats the event's name inside it. Bytes are cut at line ends
    alone, which no character's UTF-8 contains, so a character split between packets is never decoded in halves.
    An event the stream ends within is dropped, as the standard says.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0
        self._ended_in_cr = False

    def feed(self, packet: bytes) -> list[bytes]:
        """Return the data of each event that this packet completes, in order."""
        if self._ended_in_cr or _CR in packet:
            packet = self._unify_line_ends(packet)
        is_whole = not self._rest and packet.endswith(b"\n\n")  # the common case: nothing to keep
        blocks = packet.split(b"\n\n") if is_whole else self._complete_blocks(packet)
        return [data for block in blocks if (data := _data_of(block))]

    def _complete_blocks(self, packet: bytes) -> list[bytes]:
        self._rest += packet
        # What was searched before is not searched again: a 5 MB event in small packets stays linear.
        end = self._rest.rfind(b"\n\n", max(self._searched - 1, 0))
        if end < 0:
            self._searched = len(self._rest)
            return []
        whole = bytes(self._rest[:end])
        del self._rest[: end + 2]
        self._searched = len(self._rest)
        return whole.split(b"\n\n")

    def _unify_line_ends(self, packet: bytes) -> bytes:
        r"""CRLF and CR become LF, also where a packet ends between the two. JSON itself writes them as \r and \n."""
        if self._ended_in_cr and packet[:1] == b"\n":
            packet = packet[1:]
            if not packet:
                self._ended_in_cr = False
                return packet
        self._ended_in_cr = packet.endswith(b"\r")
        return packet.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _data_of(block: bytes) -> bytes:
    """The data of one event: its `data` lines, joined. Empty for comments and for events without data."""
    start = block.find(_DATA)
    if start < 0:
        return b""
    if (start == 0 or block[start - 1] == _LF) and block.find(b"\n", start) < 0:
        return block[start + 5 :].removeprefix(b" ")
    lines = [line for line in block.split(b"\n") if line.startswith(_DATA)]
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines)


def load_json(data: bytes) -> Any:
    """Return the JSON value; ValueError where it is none.

    orjson refuses a lone surrogate escape, which the API can send where a delta ends inside an emoji; json keeps it.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            return json.loads(data)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def storable(value: object, most: int) -> str:
    """Return a name or id of the provider as the record can hold it: clean, at most so long; "" for what is no text.

    A server may call its model by a file's path, and one word that a column refuses would cost the whole answer.
    """
    return clean_text(value)[:most] if isinstance(value, str) else ""


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return the JSON object, or an empty one for what is none."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return the JSON array, or an empty one for what is none."""
    return value if isinstance(value, list) else []


class SurrogateJoiner:
    """Makes one character of a surrogate pair that was cut between two deltas."""

    def __init__(self) -> None:
        self._held = ""

    def push(self, text: str) -> str:
        """Return the text that can be shown now; a high surrogate at its end is held back for the next."""
        if not self._held and (text.isascii() or _is_sound(text)):
            return text
        text = (self._held + text).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        self._held = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        return text[:-1] if self._held else text

    def flush(self) -> str:
        """Return what is still held back: no other half will come."""
        held, self._held = self._held, ""
        return held


def _is_sound(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
