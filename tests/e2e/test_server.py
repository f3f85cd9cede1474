"""Pages, REST and live sound on one port, as `streamlit run app/server.py` serves them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page
from websockets.sync.client import connect

from tests.e2e.browser import answer, serve_app, upload

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    cache = str(tmp_path_factory.mktemp("cache"))
    with serve_app(entry="app/server.py", SONGNET_CACHE=cache) as address:
        yield address


@pytest.mark.corpus
def test_a_person_and_a_program_get_the_same_answer(page: Page, corpus_clip: Path) -> None:
    data = corpus_clip.read_bytes()
    upload(page, name=corpus_clip.name, data=data)
    card = answer(page, corpus_clip.name)
    url = page.url.rstrip("/") + "/api/v1/predict"
    said = requests.post(url, files={"file": data}, timeout=60).json()
    assert card.get_by_test_id("genre").inner_text() == said["genre"]


def test_deep_links_and_live_sound_share_the_port(address: str) -> None:
    assert requests.get(f"{address}/benchmark", timeout=60).status_code == 200
    live = address.replace("http", "ws") + "/api/v1/live?sr=48000"
    with connect(live, open_timeout=60) as socket:
        assert '"ready"' in str(socket.recv(timeout=60))
