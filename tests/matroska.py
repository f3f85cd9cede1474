"""Matroska files that FFmpeg reads but does not write: compressed blocks, any codec and layout."""

from __future__ import annotations

import struct
from collections.abc import Iterable

_LACING_NONE = b"\x80"


def _element(identifier: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes.fromhex(identifier) + struct.pack(">Q", len(body) | 1 << 56) + body


def _number(identifier: str, value: int) -> bytes:
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


_ZLIB = _element(
    "6d80",
    _element(
        "6240",
        _number("5031", 0),
        _number("5032", 1),
        _number("5033", 0),
        _element("5034", _number("4254", 0)),
    ),
)


def write_matroska(
    blocks: Iterable[tuple[int, bytes]],
    *,
    codec: str = "A_PCM/INT/LIT",
    sr: int = 8_000,
    channels: int = 1,
    zlib_track: int = 0,
) -> bytes:
    """One cluster: track 1 is sound of 16 bits, track 2 subtitles.

    Parameters
    ----------
    blocks : iterable of (track, data)
    codec : str
        Of the sound.
    sr, channels : int
    zlib_track : int
        The track whose blocks are said to be compressed; 0 for none.
    """
    sound = _element(
        "ae",
        *(_number("d7", 1), _number("73c5", 1), _number("83", 2)),
        _element("86", codec.encode()),
        _element(
            "e1",
            _element("b5", struct.pack(">d", sr)),
            _number("9f", channels),
            _number("6264", 16),
        ),
        _ZLIB if zlib_track == 1 else b"",
    )
    text = _element(
        "ae",
        *(_number("d7", 2), _number("73c5", 2), _number("83", 17)),
        _element("86", b"S_TEXT/UTF8"),
        _ZLIB if zlib_track == 2 else b"",
    )
    header = _element("1a45dfa3", _element("4282", b"matroska"), _number("4287", 4))
    cluster = [
        _element(
            "a3", bytes([0x80 | track]), struct.pack(">h", number % 30_000), _LACING_NONE, data
        )
        for number, (track, data) in enumerate(blocks)
    ]
    return header + _element(
        "18538067",
        _element("1549a966", _number("2ad7b1", 1_000_000)),
        _element("1654ae6b", sound, text),
        _element("1f43b675", _number("e7", 0), *cluster),
    )
