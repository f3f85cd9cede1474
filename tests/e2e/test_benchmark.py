"""The benchmark in a real browser: what a presenter does with the keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.benchmark import RESULTS, read_results
from app.benchmark_report import benchmark_html
from app.benchmark_story import tell_story
from tests.e2e.browser import PATIENCE_MS, settle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_a_presentation_moves_by_the_arrow_keys(page: Page, address: str) -> None:
    results = read_results(RESULTS)
    assert results is not None
    titles = [chart.title for chart in tell_story(results)]
    page.set_default_timeout(PATIENCE_MS)
    page.set_viewport_size({"width": 380, "height": 800})
    page.goto(f"{address}/benchmark")
    page.locator(".js-plotly-plot").first.wait_for()
    settle(page)
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth")
    page.set_viewport_size({"width": 1200, "height": 900})
    settle(page)
    page.get_by_role("button", name="Present").click()
    page.get_by_role("button", name="Leave").wait_for()
    for key, place in (("", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        if key:
            page.keyboard.press(key)
        place_text = page.get_by_text(f"{place + 1} of {len(titles)}")
        expect(place_text).to_be_visible()
        expect(page.get_by_role("heading", name=titles[place])).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Present").wait_for()


def test_the_report_opens_offline_and_cuts_no_chart_on_a_phone(
    browser: Browser, tmp_path: Path
) -> None:
    results = read_results(RESULTS)
    assert results is not None
    file = tmp_path / "report.html"
    file.write_text(benchmark_html(results), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": 380, "height": 800})
    report = context.new_page()
    faults: list[str] = []
    report.on("pageerror", lambda error: faults.append(str(error)))
    report.goto(file.as_uri())
    expect(report.locator(".js-plotly-plot")).to_have_count(len(tell_story(results)))
    for chart in report.locator(".chart").all():
        assert chart.evaluate("e => e.scrollWidth <= e.clientWidth")
    accuracy = f"{100 * results.models[0]['accuracy']['value']:.1f} %"
    expect(report.get_by_role("cell", name=accuracy).first).to_be_in_viewport(ratio=0.9)
    assert faults == []
    context.close()
