"""Settings, examples, playback, downloads and messages of the app."""

from __future__ import annotations

import csv
import functools
import hashlib
import http.server
import io
import json
import re
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile as sf
import streamlit as st

from app import benchmark_present, examples
from app.analysis import analyse_audio, genre_steps
from app.components import facts_html, plain_markdown, upload_limit_mb
from app.downloads import download_stem, result_json, timeline_csv
from app.messages import message_for
from app.playback import browser_mime, transcode_to_wav
from app.settings import Settings, read_settings
from songnet import exceptions
from songnet.exceptions import ParameterError
from songnet.signal.audio import DecodeLimits, decode_audio
from tests.app.stub import GENRES, SR, beat, clip, stub_classifier
from tests.encoders import encode_pyav, encode_soundfile


def test_upload_limit_is_the_same_in_streamlit_and_here(repo_root: Path) -> None:
    config = tomllib.loads((repo_root / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["server"]["maxUploadSize"] == Settings().max_upload_mb
    assert config["browser"]["gatherUsageStats"] is False


def test_the_logo_looks_alike_where_fonts_differ(repo_root: Path) -> None:
    """Set in a wider font, the name was cut off at its end."""
    for picture in (repo_root / "app" / "assets").glob("*.svg"):
        assert "<text" not in picture.read_text("utf-8"), f"{picture}: draw letters as paths"


@pytest.mark.parametrize(("of_app", "shown"), [(3, 3), (10_000, 200)])
def test_no_upload_is_offered_that_streamlit_refuses(
    of_app: int, shown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "get_option", {"server.maxUploadSize": 200}.__getitem__)
    assert upload_limit_mb(Settings(max_upload_mb=of_app)) == shown


def test_long_names_of_facts_leave_room_for_their_values() -> None:
    html = facts_html({"navigator.mediaDevices is undefined": "<b>"}, unknown="")
    assert "max-content" not in html
    assert html.count("overflow-wrap:anywhere") == 2
    assert "&lt;b&gt;" in html


def test_markdown_shows_a_text_as_it_is() -> None:
    assert plain_markdown("AC/DC_live 2.mp3") == r"AC\/DC\_live 2\.mp3"
    shown = plain_markdown("![x](https://a.b/c.png)\n:red[y] $z$ `w`")
    assert re.search(r"(?<!\\)[!-/:-@\[\]^-`{-~]", shown) is None
    assert "\n" not in shown


def test_a_presentation_is_left_by_pressing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    benchmark_present.start()
    benchmark_present._stop()
    benchmark_present._stop()
    benchmark_present._move(1, 3)
    assert not benchmark_present.is_presenting()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGNET_MAX_UPLOAD_MB", "3")
    monkeypatch.setenv("SONGNET_MAX_MINUTES", "2")
    monkeypatch.setenv("SONGNET_CACHE", "/somewhere")
    settings = read_settings()
    assert settings.limits == DecodeLimits(max_bytes=3 * 2**20, max_seconds=120.0, own_process=True)
    assert settings.cache_folder == Path("/somewhere")


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "many"])
def test_impossible_settings_are_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGNET_MAX_UPLOAD_MB", value)
    with pytest.raises(ParameterError, match="SONGNET_MAX_UPLOAD_MB"):
        read_settings()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, examples.Example]]:
    """A folder on a local server, and the example in it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Keep the output of the tests clean."""

    folder = tmp_path / "served"
    folder.mkdir()
    data = clip(1)
    (folder / "a (clip).wav").write_bytes(data)
    example = examples.Example(
        title="A clip",
        artist="Nobody",
        style="Beat",
        licence="CC0",
        licence_url="https://example.org",
        file="a (clip).wav",
        sha256=hashlib.sha256(data).hexdigest(),
    )
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", example
        server.shutdown()


def test_example_is_fetched_and_then_taken_from_the_cache(
    served: tuple[str, examples.Example], tmp_path: Path
) -> None:
    url, example = served
    data = examples.fetch_example(example, base_url=url, cache_folder=tmp_path / "cache")
    assert hashlib.sha256(data).hexdigest() == example.sha256
    offline = "http://127.0.0.1:9/"
    assert data == examples.fetch_example(
        example, base_url=offline, cache_folder=tmp_path / "cache"
    )


def test_changed_example_is_refused(served: tuple[str, examples.Example], tmp_path: Path) -> None:
    url, example = served
    other = examples.Example(**vars(example) | {"sha256": "0" * 64})
    with pytest.raises(examples.ExampleError, match="checksum"):
        examples.fetch_example(other, base_url=url, cache_folder=tmp_path / "cache")


@pytest.mark.parametrize("path", ["missing/", ""], ids=["not found", "no server"])
def test_unreachable_example_says_so(
    path: str, served: tuple[str, examples.Example], tmp_path: Path
) -> None:
    url, example = served
    base = url + path if path else "http://127.0.0.1:9/"
    with pytest.raises(examples.ExampleError, match="internet connection"):
        examples.fetch_example(example, base_url=base, cache_folder=tmp_path / "cache")


def test_registry_is_complete() -> None:
    clips = examples.load_examples()
    assert 4 <= len(clips) <= 6
    assert len({example.sha256 for example in clips}) == len(clips)
    assert all(len(example.sha256) == 64 for example in clips)
    assert all(all(vars(example).values()) for example in clips)


FILES = {
    "wav": (clip, "audio/wav"),
    "flac": (lambda: clip(kind="FLAC"), "audio/flac"),
    "vorbis": (lambda: clip(kind="OGG"), "audio/ogg"),
    "mp3": (lambda: clip(kind="MP3"), "audio/mpeg"),
    "m4a": (lambda: encode_pyav(beat(1), sr=SR, container="mp4", codec="aac"), "audio/mp4"),
    "aac": (lambda: encode_pyav(beat(1), sr=SR, container="adts", codec="aac"), "audio/aac"),
    "aiff": (lambda: clip(kind="AIFF"), None),
    "au": (lambda: clip(kind="AU"), None),
    "alac": (lambda: encode_pyav(beat(1), sr=SR, container="mp4", codec="alac"), None),
    "wma": (lambda: encode_pyav(beat(1), sr=44_100, container="asf", codec="wmav2"), None),
}


@pytest.mark.parametrize("kind", FILES)
def test_player_gets_what_browsers_play(kind: str) -> None:
    make_data, mime = FILES[kind]
    data = make_data()
    assert browser_mime(data, codec=decode_audio(data, sr=16_000).codec) == mime


def test_copy_is_a_wav_as_long_as_the_song() -> None:
    wav = transcode_to_wav(clip(2, kind="AIFF"), limits=DecodeLimits())
    info = sf.info(io.BytesIO(wav))
    assert (info.format, info.channels) == ("WAV", 1)
    assert info.duration == pytest.approx(2, abs=0.01)


def test_downloads_hold_the_whole_result() -> None:
    data = encode_soundfile(beat(20), sr=SR, kind="WAV")
    analysis = analyse_audio(
        data, digest="d", classifier=stub_classifier(0.0), limits=DecodeLimits()
    )
    prediction = analysis.prediction
    values = json.loads(result_json(analysis, name='a "song".wav', model="stub 0"))
    assert values["file"] == 'a "song".wav'
    assert values["genre"] == prediction.genre
    assert len(values["top"]) == len(GENRES)
    assert len(values["timeline"]) == len(prediction.timeline.start_seconds)
    steps = genre_steps(prediction.timeline, duration_seconds=prediction.duration_seconds)
    rows = list(csv.DictReader(io.StringIO(timeline_csv(steps, genres=GENRES))))
    assert len(rows) == len(steps.start_seconds)
    assert float(rows[-1]["end_seconds"]) == pytest.approx(20, abs=0.001)
    assert sum(float(rows[0][genre]) for genre in GENRES) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("My song.mp3", "My-song"),
        ("../../etc/passwd", "song"),
        ("Ünïcode (live) song.flac", "Ünïcode-live-song"),
        ("...", "song"),
        ("", "song"),
        ("x" * 300 + ".wav", "x" * 60),
    ],
)
def test_names_of_downloads_are_harmless(name: str, stem: str) -> None:
    assert download_stem(name) == stem


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in vars(exceptions).values()
        if isinstance(kind, type) and issubclass(kind, exceptions.SongNetError)
    ],
)
def test_every_error_has_words(kind: type[exceptions.SongNetError]) -> None:
    message = message_for(kind("Something happened; do this."))
    assert message.title
    assert message.text.endswith(".")
    assert message.icon.startswith(":material/")
