"""The decoder gives the same events whatever the packets are."""

from hypothesis import given
from hypothesis import strategies as st

from conversations.llm.decode import EventDecoder, SurrogateJoiner, load_json

EVENTS = [b'{"delta":"Gr\xc3\xbc\xc3\x9fe \xf0\x9f\x98\x80"}', b"[DONE]", b'{"a":\n1}', b"{}", b'{"data:":"data: x"}']


def wire(newline: bytes) -> bytes:
    parts = [b": comment", b"", b"event: x", b"data: " + EVENTS[0], b"", b"", b"", b"data:" + EVENTS[1], b"id: 3", b""]
    parts += [
        b"event: data: no",
        *(b"data: " + line for line in EVENTS[2].split(b"\n")),
        b"retry: 1",
        b"",
        b"event: none",
    ]
    parts += [
        b"",
        b"data",
        b"",
        b"data:",
        b"",
        b"data: " + EVENTS[3],
        b"",
        b"event: y",
        b"data:  ".strip() + EVENTS[4],
        b"",
    ]
    return newline.join(parts) + newline + b"data: {never ended}" + newline


@given(st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(1, 40), min_size=1))
def test_u18_events_do_not_depend_on_how_the_bytes_are_cut(newline: bytes, sizes: list[int]) -> None:
    data = wire(newline)
    decoder, got, at = EventDecoder(), [], 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        got += decoder.feed(data[at : at + size])
        at += size
    assert got == EVENTS


@given(st.lists(st.text(alphabet=st.sampled_from("ab\ud83d\ude00é😀"), max_size=4)))
def test_u21_joined_text_has_every_pair_joined_and_nothing_lost(deltas: list[str]) -> None:
    joiner = SurrogateJoiner()
    got = "".join(joiner.push(delta) for delta in deltas) + joiner.flush()
    whole = "".join(deltas).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    assert got == whole


def test_lone_surrogates_in_json_are_kept() -> None:
    assert load_json(rb'{"delta":"a\ud83d"}') == {"delta": "a\ud83d"}
