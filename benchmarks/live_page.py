"""From the end of a window's sound at the microphone to its prediction on the page.

A real Chromium sends a file as its microphone over WebRTC to a real server. The
file begins with silence: where the music begins, the browser's clock and the
recording that the page gives back are laid over each other. Each prediction
that the page shows names the end of its window.

    python benchmarks/live_page.py
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from cold_start import free_port, running_app, wait_for_server
from playwright.sync_api import Browser, Page, sync_playwright
from record import RESULTS, make_mp3, save_result

from songnet.signal.audio import load_audio

SR = 48_000
_SILENCE_SECONDS = 12.0
_LOUD = 0.01
_LONGEST_MS = 60_000

_HEAR_ONSET = """
const get = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (get) navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await get(wanted);
  const [track] = stream.getAudioTracks();
  const reader = new MediaStreamTrackProcessor({ track: track.clone() }).readable.getReader();
  (async () => {
    let wasLoud = true;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      value.close();
      const isLoud = samples.some((sample) => Math.abs(sample) > LOUD);
      if (isLoud && !wasLoud && !top.onset) top.onset = Date.now();
      wasLoud = isLoud;
    }
  })();
  return stream;
};
""".replace("LOUD", str(_LOUD), 1)

_WATCH_PAGE = """
window.shown = {};
new MutationObserver(() => {
  const until = document.querySelector("[data-testid=bars]")?.dataset.until;
  if (until !== undefined && !(until in window.shown)) window.shown[until] = Date.now();
}).observe(document.body, { subtree: true, childList: true, attributes: true });
"""


def make_microphone(folder: Path) -> Path:
    """Write silence and then 30 s of music, which Chromium plays again and again."""
    y, _ = load_audio(make_mp3(), sr=SR)
    path = folder / "microphone.wav"
    silence = np.zeros(round(_SILENCE_SECONDS * SR), np.float32)
    sf.write(path, np.concatenate([silence, y]), SR, subtype="PCM_16")
    return path


def listen(browser: Browser, port: int, *, seconds: float, folder: Path) -> tuple[Page, Path]:
    """Let the page listen for so long after the music began; gives its recording."""
    page = browser.new_page()
    page.add_init_script(_HEAR_ONSET)
    page.set_default_timeout(_LONGEST_MS)
    page.goto(f"http://localhost:{port}/live")
    page.get_by_test_id("genre").wait_for()
    page.evaluate(_WATCH_PAGE)
    component = page.frame_locator('iframe[title*="webrtc"]')
    component.get_by_role("button", name="Start").click()
    page.wait_for_function("window.onset > 0")
    page.wait_for_timeout(1000 * seconds)
    component.get_by_role("button", name="Stop").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Keep this recording").click()
    recording = folder / "recording.wav"
    download.value.save_as(recording)
    return page, recording


def delays(page: Page, recording: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the delay of each prediction that was shown after the music began, in ms."""
    y, sr = sf.read(recording, always_2d=True)
    loud = np.abs(y[:, 0]) > _LOUD
    quiet = np.flatnonzero(~loud)
    begins = np.flatnonzero(loud & (np.arange(len(loud)) > sr // 2))[0] / sr
    if not quiet.size or begins < 1:
        raise RuntimeError("The recording does not begin with silence; run it again.")
    onset = page.evaluate("window.onset")
    shown = {float(until): at for until, at in page.evaluate("window.shown").items()}
    rows = [at - (onset + 1000 * (until - begins)) for until, at in shown.items() if until > begins]
    return np.array(rows)


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--out", type=Path, default=RESULTS / "live_page.json")
    options = parser.parse_args()
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as name,
        running_app(port),
        sync_playwright() as playwright,
    ):
        folder = Path(name)
        wait_for_server(port)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={make_microphone(folder)}",
            ],
        )
        page, recording = listen(browser, port, seconds=options.seconds, folder=folder)
        delay_ms = delays(page, recording)
        browser.close()
    p50, p95 = np.percentile(delay_ms, [50, 95])
    save_result(
        options.out,
        {
            "what": "from the end of a window's sound at the browser's microphone to its "
            "prediction on the page: WebRTC on one machine, network, page; one session",
            "delay_ms": {"p50": p50, "p95": p95},
            "predictions_shown": len(delay_ms),
            "shown_per_second": len(delay_ms) / options.seconds,
        },
    )
    print(f"delay p50 {p50:.0f} ms, p95 {p95:.0f} ms of {len(delay_ms)} predictions; {options.out}")


if __name__ == "__main__":
    main()
