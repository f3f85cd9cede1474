"""The Benchmark page over results that the benchmark itself wrote on generated data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import benchmark
from app.benchmark import (
    RESULTS,
    Results,
    leaderboard_frame,
    pareto_front,
    read_results,
    track_frame,
)
from app.benchmark_charts import confusion_figure, short_title
from app.benchmark_pairs import comparison_frame, pair_rows
from app.benchmark_present import enlarge
from app.benchmark_report import benchmark_html
from app.benchmark_story import differences_chart, pairs_chart, tell_story
from app.benchmark_studies import source_chart
from app.benchmark_view import VIEWS
from app.messages import message_for
from songnet.benchmark.pieces import list_pieces
from songnet.benchmark.run import BenchmarkRun
from songnet.benchmark.summary import summarise
from songnet.exceptions import ResultsError
from tests.benchmark.conftest import KNN, MAJORITY, NETWORK, make_inputs

pytestmark = pytest.mark.timeout(1800)
STUDIES = ("folds", "leaky", "codec", "seconds", "robustness")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of two baselines on generated tracks; the network was not run."""
    root = tmp_path_factory.mktemp("benchmark-page")
    inputs = make_inputs(root)
    pieces = list_pieces((MAJORITY, KNN), (0, 1), studies=STUDIES)
    assert not BenchmarkRun(inputs, root / "run").run(pieces).failed
    summarise((MAJORITY, KNN, NETWORK), inputs, run_dir=root / "run", results=root / "r", seed=0)
    return root / "r"


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    found = read_results(folder)
    assert found is not None
    return found


def open_page(repo_root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(benchmark, "RESULTS", folder)
    visit = AppTest.from_file(repo_root / "app" / "main.py", default_timeout=300).run()
    visit.switch_page(str(repo_root / "pages" / "benchmark.py")).run()
    assert not visit.exception
    return visit


def said(visit: AppTest) -> str:
    parts = (visit.markdown, visit.subheader, visit.caption, visit.title, visit.code, visit.info)
    return "\n".join(element.value for part in parts for element in part)


def test_the_leaderboard_is_the_file(results: Results, folder: Path) -> None:
    board = json.loads((folder / "leaderboard.json").read_text())["models"]
    frame = leaderboard_frame(results)
    assert list(frame["model"]) == ["knn", "majority"]
    assert list(frame["accuracy"]) == [row["accuracy"]["value"] for row in board]
    assert list(leaderboard_frame(results, ["chance"])["model"]) == ["majority"]
    assert [row["model"] for row in results.not_run] == ["songnet"]


def test_a_comparison_is_significant_only_if_both_tests_say_so(results: Results) -> None:
    (row,) = comparison_frame(results, "knn").to_dict("records")
    assert row["model"] == "majority"
    assert row["difference"] < 0
    assert row["is_significant"]
    pair = results.section("comparisons")["knn"][0]
    pair["p_bootstrap_holm"], before = 0.05, pair["p_bootstrap_holm"]
    try:
        assert not comparison_frame(results, "knn")["is_significant"].any()
        assert "Not significant: Majority." in differences_chart(results, "knn").note
    finally:
        pair["p_bootstrap_holm"] = before


def test_tracks_count_who_was_right(results: Results) -> None:
    frame = track_frame(results, ["knn", "majority"])
    assert len(frame) == 48
    right = (frame["knn"] == frame["genre"]).astype(int) + (frame["majority"] == frame["genre"])
    assert list(frame["n_right"]) == list(right)
    assert (frame["knn"] == frame["genre"]).mean() == leaderboard_frame(results)["accuracy"].max()
    assert track_frame(results, []).empty


def test_the_front_has_what_nothing_beats() -> None:
    cost, gain = np.array([3.0, 1.0, 2.0, 2.0, 4.0]), np.array([0.5, 0.4, 0.6, 0.7, 0.7])
    assert pareto_front(cost, gain) == [1, 3]


def test_a_difference_of_confusions_is_of_shares() -> None:
    sure, torn = np.array([[10, 0], [0, 40]]), np.array([[5, 5], [0, 40]])
    figure = confusion_figure(sure, ["A", "B"], minus=torn)
    np.testing.assert_allclose(figure.data[0].z, [[50, -50], [0, 0]])
    assert list(figure.data[0].text[0]) == ["+50", "-50"]


def test_the_interval_is_that_of_the_metric_in_order(
    repo_root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = open_page(repo_root, folder, monkeypatch)
    for metric, column in (("Accuracy", "accuracy"), ("Macro-F1", "macro_f1")):
        visit.selectbox(key="benchmark-metric").select(metric).run()
        table = visit.dataframe[0].value
        assert list(table.columns[list(table.columns).index(f"{metric} %") :][:3]) == [
            f"{metric} %", "from %", "to %",
        ]  # fmt: skip
        best = read_results(folder).models[0]
        assert table["from %"].iloc[0] == pytest.approx(100 * best[column]["low"], abs=0.051)


def test_all_pairs_have_their_difference(results: Results) -> None:
    figure = pairs_chart(results).figure
    gap = 100 * np.subtract(*leaderboard_frame(results)["accuracy"])
    np.testing.assert_allclose(figure.data[0].z, [[np.nan, gap], [-gap, np.nan]], atol=1e-3)
    assert list(figure.data[0].customdata[0]) == list(results.titles.values())


def test_pairs_are_corrected_for_all_of_them(results: Results) -> None:
    def pair(model: str, reference: str, p: float) -> dict:
        return {"model": model, "reference": reference, "difference": {"value": 0.1},
                "p_mcnemar": p, "p_bootstrap": p}  # fmt: skip

    names = ("a", "b", "c")
    models = [{"model": name, "title": name, "kind": "seed"} for name in names]
    p_values = {("a", "b"): 0.02, ("a", "c"): 0.001, ("b", "c"): 0.04}
    section = {
        one: [
            pair(other, one, p_values[tuple(sorted((one, other)))])
            for other in names
            if other != one
        ]
        for one in names
    }
    leaderboard = results.files["leaderboard"] | {"models": models}
    files = {"leaderboard": leaderboard, "comparisons": {"models": section}}
    rows = pair_rows(Results(files, results.predictions))
    assert {(r["model"], r["reference"]): r["is_significant"] for r in rows} == {
        ("a", "b"): True, ("a", "c"): True, ("b", "c"): True,
    }  # fmt: skip
    p_values[("a", "b")] = 0.03  # 0.06 after the step for two
    for other in section["b"]:
        other["p_mcnemar"] = p_values[tuple(sorted(("b", other["model"])))]
    rows = pair_rows(Results(files, results.predictions))
    assert [r["is_significant"] for r in rows] == [False, True, False]


def test_what_is_published_can_outlast_the_correction_for_all_pairs() -> None:
    """With too few resamples no p-value is small enough, however far two models lie apart."""
    published = read_results(RESULTS)
    assert published is not None
    is_significant = {
        frozenset((row["model"], row["reference"])): row["is_significant"]
        for row in pair_rows(published)
    }
    assert is_significant[frozenset(("songnet", "random"))]
    assert is_significant[frozenset(("songnet", "rbf_svm"))]
    assert not is_significant[frozenset(("songnet_one_cycle", "rbf_svm"))]


def test_sources_are_compared(results: Results) -> None:
    heat = source_chart(results).figure.data[0]
    assert list(heat.x) == ["a", "b"]
    frame = track_frame(results, ["knn"])
    from_b = [int(name.removeprefix("t")) % 3 == 0 for name in frame.index]
    right = (frame["knn"] == frame["genre"])[from_b].mean()
    assert heat.z[0][1] == pytest.approx(100 * right)


def test_long_names_take_two_lines() -> None:
    assert short_title("RBF SVM on clip statistics") == "RBF SVM<br>on clip statistics"
    assert short_title("SongNet without statistics") == "SongNet<br>without statistics"
    two_ways = "SongNet of one cycle with an LSTM"
    assert short_title(two_ways) == "SongNet of one cycle<br>with an LSTM"
    assert short_title("SongNet") == "SongNet"


def test_no_results_say_how_to_get_some(
    repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = open_page(repo_root, tmp_path, monkeypatch)
    assert "songnet benchmark run" in said(visit)


def test_a_damaged_result_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "leaderboard.json").write_text("{")
    with pytest.raises(ResultsError, match="damaged result") as caught:
        read_results(tmp_path)
    assert str(tmp_path) not in str(caught.value)
    assert message_for(caught.value).title == "The benchmark cannot be shown"


def test_every_view_shows_what_there_is(
    repo_root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = open_page(repo_root, folder, monkeypatch)
    assert "Not run yet" in said(visit)
    assert "--model songnet" in said(visit)
    expected = {
        "Significance": "Against KNN",
        "Genres": "What KNN takes for what",
        "Curves": "ROC of KNN",
        "Data": "Learning curve: not run yet",
        "Robustness": "What bad sound costs",
        "Cost": "Time for a track: not run yet",
        "Tracks": "48 of 48 tracks",
    }
    assert set(expected) | {"Leaderboard"} == set(VIEWS)
    for view, text in expected.items():
        visit.session_state["benchmark-view"] = view
        visit.run()
        assert not visit.exception, view
        assert text in said(visit), view


def test_the_presentation_moves_and_ends(
    repo_root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, results: Results
) -> None:
    def press(label: str) -> None:
        next(button for button in visit.button if button.label == label).click().run()
        assert not visit.exception

    n_charts = len(tell_story(results))
    visit = open_page(repo_root, folder, monkeypatch)
    press("Present")
    assert f"1 of {n_charts}" in said(visit)
    for _ in range(n_charts - 1):
        press("Next")
    assert f"{n_charts} of {n_charts}" in said(visit)
    press("Back")
    assert f"{n_charts - 1} of {n_charts}" in said(visit)
    press("Leave")
    assert "Benchmark" in said(visit)


def test_the_form_of_the_pictures_is_kept_in_the_presentation(
    repo_root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forms() -> set[str]:
        configs = [json.loads(chart.proto.config) for chart in visit.get("plotly_chart")]
        return {config["toImageButtonOptions"]["format"] for config in configs}

    visit = open_page(repo_root, folder, monkeypatch)
    assert forms() == {"png"}
    next(radio for radio in visit.radio if radio.label == "Charts as").set_value("SVG").run()
    assert forms() == {"svg"}
    for label in ("Present", "Next", "Next", "Leave"):
        next(button for button in visit.button if button.label == label).click().run()
        assert forms() == {"svg"}, label
    assert next(radio for radio in visit.radio if radio.label == "Charts as").value == "SVG"


def test_a_slide_fits_a_screen_and_leaves_its_chart_alone(results: Results) -> None:
    chart = tell_story(results)[0]
    names = list(chart.figure.layout.yaxis.categoryarray)
    slide = enlarge(chart.figure)
    assert slide.layout.height <= 650
    assert slide.layout.font.size >= 20
    assert chart.figure.layout.height != slide.layout.height
    assert [name.replace("<br>", " ") for name in names] == list(slide.layout.yaxis.categoryarray)


def test_the_report_needs_nothing_else(results: Results) -> None:
    html = benchmark_html(results)
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
    assert not re.search(r'(src|href)="', html)
    figures = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert len(figures) == len(tell_story(results))
    assert all(json.loads(figure)["data"] for figure in figures)
    assert "not run yet" in html


def test_predictions_are_kept_whole(results: Results) -> None:
    y_true, probs = results.probs("knn")
    assert probs.shape == (48, 2)
    np.testing.assert_allclose(probs.sum(axis=1), 1)
    empty = Results(results.files, pd.DataFrame())
    assert not empty.probs("knn")[0].size
    assert track_frame(empty, ["knn"]).empty
    assert y_true.mean() == 0.5
