"""REST: what a program gets for a file, and for what is none."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import LifoQueue
from typing import Any

import numpy as np
import pytest
import requests

from songnet.exceptions import BundleError
from songnet.inference.classifier import Classifier
from songnet.signal import decoding_process
from songnet.signal.audio import DecodeLimits
from tests.api.conftest import CLASSIFIER, post, until
from tests.app.stub import clip
from tests.encoders import encode_pyav, sine

TAGS = {"artist": "AWOL", "album": "A Way Of Life", "title": "Food", "date": "2008"}
Serve = Callable[..., str]


def problem(response: requests.Response) -> dict[str, Any]:
    """The problem document of a response."""
    assert response.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = response.json()
    assert set(said) == {"type", "title", "status", "detail"}
    assert said["status"] == response.status_code
    return said


def test_the_answer_is_that_of_the_library(address: str) -> None:
    data = clip(30)
    said = post(address, data, top=2, timeline=True).json()
    expected = CLASSIFIER.predict(data)
    assert said.items() >= expected.to_dict(top_k=2).items()
    assert said["probs"] == dict(zip(expected.genres, expected.probs.tolist(), strict=True))
    assert said["model"] == "stub 0"
    assert said["music_probability"] is None
    windows = said["timeline"]
    assert [w["start_seconds"] for w in windows] == expected.timeline.start_seconds.tolist()
    assert [w["end_seconds"] for w in windows] == expected.timeline.end_seconds.tolist()
    probs = [list(w["probs"].values()) for w in windows]
    np.testing.assert_array_equal(probs, expected.timeline.probs)
    assert len(windows) > 1


def test_the_timeline_comes_only_when_asked_for(address: str) -> None:
    assert post(address, clip()).json()["timeline"] is None


def test_a_file_is_decoded_in_another_process(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for decoder in ("SoundFileStream", "PyAVStream"):
        monkeypatch.delattr(f"songnet.signal.audio.{decoder}")
    assert post(address, clip()).json()["genre"]


def test_tags_say_who_made_it(address: str) -> None:
    y = sine(seconds=3, channels=2)
    data = encode_pyav(y, sr=44_100, container="mp3", codec="libmp3lame", tags=TAGS)
    track = post(address, data, name="07 Intro.mp3").json()["track"]
    assert (track["artist"], track["album"], track["year"]) == ("AWOL", "A Way Of Life", 2008)
    assert track["found_by"] == "From the tags in the file."


def test_a_name_is_never_a_path(address: str, tmp_path: Path) -> None:
    said = post(address, clip(), name=f"../../..{tmp_path}/song.wav").json()
    assert said["status"] == "ok"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "status", "kind", "says"),
    [
        (b"not music" * 99, 415, "urn:songnet:audio-decode", "expected one of wav"),
        (b"", 415, "urn:songnet:audio-decode", "0 bytes"),
        (clip(0.5), 422, "urn:songnet:audio-too-short", "0.50 seconds"),
        (clip(level=0), 422, "urn:songnet:silent-audio", "silent"),
    ],
)
def test_what_is_no_music_is_a_problem(
    address: str, data: bytes, status: int, kind: str, says: str
) -> None:
    said = problem(post(address, data))
    assert (said["status"], said["type"]) == (status, kind)
    assert says in said["detail"]


@pytest.mark.parametrize(
    ("query", "says"), [({"top": 0}, "top (query)"), ({"timeline": "maybe"}, "timeline (query)")]
)
def test_a_wrong_parameter_is_named(address: str, query: dict[str, Any], says: str) -> None:
    said = problem(post(address, clip(), **query))
    assert said["status"] == 400
    assert says in said["detail"]


def test_a_missing_file_is_named(address: str) -> None:
    said = problem(requests.post(f"http://{address}/predict", timeout=60))
    assert said["status"] == 400
    assert "file (body)" in said["detail"]


@pytest.mark.parametrize(("path", "status"), [("nothing", 404), ("predict", 405)])
def test_other_addresses_are_problems_too(address: str, path: str, status: int) -> None:
    response = requests.get(f"http://{address}/{path}", timeout=60)
    assert problem(response)["status"] == status
    assert status != 405 or response.headers["allow"] == "POST"


def test_a_track_over_the_limit_is_refused(serve: Serve) -> None:
    address = serve(decode=DecodeLimits(max_seconds=10))
    said = problem(post(address, clip(11)))
    assert (said["status"], said["type"]) == (413, "urn:songnet:audio-too-long")


def _no_model() -> Classifier:
    raise BundleError("/home/me/models/songnet is missing.")


@pytest.mark.parametrize("path", ["health", "model"])
def test_without_a_model_the_service_is_unavailable(serve: Serve, path: str) -> None:
    said = problem(requests.get(f"http://{serve(_no_model)}/{path}", timeout=60))
    assert said["status"] == 503
    assert "/home/me" not in said["detail"]


def test_a_process_that_does_not_start_is_no_fault_of_the_file(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers: LifoQueue[None] = LifoQueue()
    workers.put(None)
    monkeypatch.setattr(decoding_process, "_workers", workers)
    monkeypatch.setattr(sys, "executable", "/nothing")
    said = problem(post(address, clip()))
    assert (said["status"], said["type"]) == (503, "urn:songnet:decoder-start")


def test_one_file_too_many_is_sent_away(serve: Serve) -> None:
    going_on, asked = threading.Event(), threading.Event()

    class Slow(Classifier):
        def predict(self, *args: Any, **kwargs: Any) -> Any:
            asked.set()
            assert going_on.wait(60)
            return super().predict(*args, **kwargs)

    slow = Slow(CLASSIFIER.bundle, CLASSIFIER._runtime)
    address = serve(lambda: slow, max_uploads=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, address, clip())
        until(asked.is_set)
        second = post(address, clip())
        going_on.set()
    assert problem(second)["type"] == "urn:songnet:busy"
    assert second.headers["retry-after"] == "10"
    assert first.result().json()["status"] == "ok"
    assert post(address, clip()).status_code == 200


def test_a_fault_says_nothing_of_the_inside(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Classifier:
        raise RuntimeError("secret")

    said = problem(post(serve(fail), clip()))
    assert said["status"] == 500
    assert "secret" not in str(said)
    until(lambda: "secret" in caplog.text)


def test_many_at_once_get_their_own_answers(address: str) -> None:
    clips = [clip(3 + i, hz=200.0 * (i + 1)) for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda data: post(address, data).json(), clips))
    for data, said in zip(clips, answers, strict=True):
        assert said.items() >= CLASSIFIER.predict(data).to_dict().items()


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://songnet.example", 200), ("https://other.example", 403), ("http://[::1", 403)],
)
def test_only_named_sites_may_call_from_a_browser(serve: Serve, origin: str, status: int) -> None:
    address = serve(origins=("https://songnet.example",))
    response = requests.post(
        f"http://{address}/predict",
        files={"file": clip()},
        headers={"Origin": origin},
        timeout=60,
    )
    assert response.status_code == status
    allowed = response.headers.get("access-control-allow-origin")
    assert allowed == (origin if status == 200 else None)
    assert "access-control-allow-credentials" not in response.headers


def test_pages_of_the_server_itself_may_call(address: str) -> None:
    own = f"http://{address.partition('/')[0]}"
    response = requests.post(
        f"http://{address}/predict", files={"file": clip()}, headers={"Origin": own}, timeout=60
    )
    assert response.status_code == 200


def test_the_shipped_model_is_described_by_its_report(serve: Serve, repo_root: Path) -> None:
    from songnet.evaluation.report import Report

    report = Report.load(repo_root / "models" / "songnet" / "report.json")
    said = requests.get(f"http://{serve(Classifier.load)}/model", timeout=60).json()
    assert said["genres"] == list(report.genres)
    assert said["measured"]["accuracy"]["value"] == report.accuracy.value
    assert said["measured"]["n_tracks"] == report.n_tracks


def test_a_model_without_a_report_is_described_too(address: str) -> None:
    said = requests.get(f"http://{address}/model", timeout=60).json()
    assert (said["name"], said["measured"]) == ("stub", None)


def test_the_description_names_the_problems(address: str) -> None:
    said = requests.get(f"http://{address}/openapi.json", timeout=60).json()
    predict = said["paths"]["/predict"]["post"]
    assert set(predict["responses"]) >= {"200", "400", "413", "415", "422", "503"}
    assert "application/problem+json" in predict["responses"]["415"]["content"]
