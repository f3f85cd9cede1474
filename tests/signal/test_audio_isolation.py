"""Decoding opens no address and no other file, whatever the file asks for."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from songnet.exceptions import AudioDecodeError
from songnet.signal.audio import load_audio
from songnet.signal.decoders import PyAVStream
from tests.encoders import encode_pyav, encode_soundfile, sine

SR = 16_000


class CountingServer(socketserver.ThreadingTCPServer):
    """Counts who connects."""

    allow_reuse_address = True
    n_connections = 0

    def verify_request(self, request: object, client_address: object) -> bool:
        self.n_connections += 1
        return False


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with CountingServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def mov_with_reference(target: str) -> bytes:
    """A MOV file whose samples lie in another file, named by an alias record."""
    data = encode_pyav(sine(), sr=44_100, container="mov", codec="pcm_s16le")
    start = data.index(b"dref") - 4
    size = struct.unpack(">I", data[start : start + 4])[0]
    path = target.encode() + bytes(len(target) % 2)
    alias = bytes(130) + struct.pack(">HH", 1, 1) + bytes(16)
    alias += struct.pack(">HH", 2, len(path)) + path + b"\xff\xff\0\0"
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    dref = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    movie = bytearray(data[:start] + dref + data[start + size :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        at = movie.index(name) - 4
        box_size = struct.unpack(">I", movie[at : at + 4])[0]
        movie[at : at + 4] = struct.pack(">I", box_size + len(dref) - size)
    return bytes(movie)


def references(target: str) -> dict[str, bytes]:
    return {
        "HLS": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n".encode(),
        "concat": f"ffconcat version 1.0\nfile '{target}'\n".encode(),
        "SDP": f"v=0\nc=IN IP4 127.0.0.1\ns=x\nm=audio 9 RTP/AVP 0\na=control:{target}\n".encode(),
        "ASX": f'<asx version="3.0"><entry><ref href="{target}"/></entry></asx>'.encode(),
        "DASH": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
            'mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="audio/mp4">'
            f'<Representation id="0" bandwidth="1"><BaseURL>{target}</BaseURL><SegmentBase/>'
            "</Representation></AdaptationSet></Period></MPD>"
        ).encode(),
        "playlist": f"#EXTM3U\n{target}\n".encode(),
        "RTSP text": f"RTSPtextRTSP://{target}".encode(),
    }


KINDS = ["HLS", "concat", "SDP", "ASX", "DASH", "playlist", "RTSP text"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", ["m3u8", "mp4"])
def test_no_address_is_opened(
    kind: str, suffix: str, tmp_path: Path, server: CountingServer
) -> None:
    target = f"http://127.0.0.1:{server.server_address[1]}/song.ts"
    path = tmp_path / f"list.{suffix}"
    path.write_bytes(references(target)[kind])
    for source in (path, path.read_bytes()):
        with pytest.raises(AudioDecodeError):
            load_audio(source, sr=SR)
    assert server.n_connections == 0


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_file_is_opened(kind: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(encode_soundfile(sine(), sr=44_100, kind="WAV"))
    path = tmp_path / "list.txt"
    for target in (str(secret), f"file:{secret}", "secret.wav"):
        path.write_bytes(references(target)[kind])
        with pytest.raises(AudioDecodeError):
            load_audio(path, sr=SR)


@pytest.mark.parametrize("kind", KINDS)
def test_decoder_itself_opens_no_address(kind: str, tmp_path: Path, server: CountingServer) -> None:
    path = tmp_path / "list.m3u8"
    path.write_bytes(references(f"http://127.0.0.1:{server.server_address[1]}/song.ts")[kind])
    with path.open("rb") as named_file, pytest.raises(AudioDecodeError):
        PyAVStream(named_file)
    assert server.n_connections == 0


def test_movie_whose_sound_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.raw"
    secret.write_bytes(b"\x66\x66" * 100_000)
    with pytest.raises(AudioDecodeError, match="holds no sample"):
        load_audio(mov_with_reference(str(secret)), sr=SR)
