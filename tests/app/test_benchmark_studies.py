"""The charts of the benchmark's studies and costs, over figures of a few lines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from app.benchmark import Results, cost_frame
from app.benchmark_charts import KIND_COLORS, line_colors
from app.benchmark_story import COSTS, cost_chart
from app.benchmark_studies import codec_chart, leaky_chart, seconds_chart
from app.benchmark_tradeoffs import cost_figure


@pytest.fixture
def results() -> Results:
    """Two models without studies."""
    models = [
        {"model": "knn", "title": "KNN", "kind": "statistics"},
        {"model": "majority", "title": "Majority", "kind": "chance"},
    ]
    return Results({"leaderboard": {"models": models}}, pd.DataFrame())


def _with_study(results: Results, name: str, models: dict[str, object]) -> Results:
    return Results(results.files | {name: {"models": models}}, results.predictions)


def _accuracy(value: float) -> dict[str, dict[str, float]]:
    return {"accuracy": {"value": value, "low": value - 0.1, "high": value + 0.1}}


def test_costs_are_drawn_where_they_were_measured(results: Results) -> None:
    assert cost_chart(results, "Time for a track") is None
    latency = {"p50": 5.0, "p95": 9.0}
    measured = {"track_ms": latency, "window_ms": None, "peak_mib": 90.0}
    row = {"accuracy": 0.9, "parameters": None, "macs": None, "weights_bytes": 2_000_000,
           "machine": {"cores": 2}, "load": 0.25,
           "train_seconds": 1.5, "runtimes": {"scikit-learn": measured}}  # fmt: skip
    costs = Results(results.files | {"cost": {"models": {"knn": row}}}, results.predictions)
    frame = cost_frame(costs)
    assert frame.loc[0, "weights_mb"] == 2
    drawn = [name for name in COSTS if cost_chart(costs, name)]
    assert drawn == ["Time for a track", "File size", "Memory", "Training time"]
    assert "2 cores under a load of 0.2" in cost_chart(costs, "Memory").note
    points = [
        p for p in cost_figure(frame, cost="track_ms", title="ms").data if p.mode == "markers"
    ]
    assert [(p.x[0], p.y[0]) for p in points] == [(5.0, 90.0)]


def test_a_network_measured_twice_says_what_the_clock_can_tell(results: Results) -> None:
    def row(milliseconds: float) -> dict[str, object]:
        latency = {"p50": milliseconds, "p95": 9.0}
        measured = {"track_ms": latency, "window_ms": None, "peak_mib": 90.0}
        return {"accuracy": 0.9, "parameters": 1, "macs": 1, "weights_bytes": 1,
                "machine": {"cores": 2}, "load": 0.25, "train_seconds": 1.5,
                "runtimes": {"keras": measured}}  # fmt: skip

    models = {"songnet_one_cycle": row(20.0), "songnet_no_statistics": row(25.0)}
    costs = Results(results.files | {"cost": {"models": models}}, results.predictions)
    assert "up to 25% apart" in cost_chart(costs, "Time for a track").note
    assert "apart" not in cost_chart(costs, "Memory").note


def test_seconds_are_drawn_with_intervals_of_the_models_that_are_chosen(results: Results) -> None:
    rows = [
        {"condition": f"{n}s", "n_tracks": 9, **_accuracy(share)}
        for n, share in ((1, 0.4), (3, 0.5))
    ]
    heard = _with_study(results, "seconds", {"knn": rows, "majority": rows})
    band, line = seconds_chart(heard, ["majority"]).figure.data
    assert (line.name, list(line.y)) == ("Majority", [40.0, 50.0])
    np.testing.assert_allclose(band.y, [30, 40, 60, 50])
    assert list(band.x) == [1, 3, 3, 1]
    assert [chart.name for chart in seconds_chart(heard).figure.data][2:] == [
        results.titles[model] for model in results.titles
    ]


def test_a_change_of_codec_is_tested(results: Results) -> None:
    def row(only_encoded: int, only_original: int) -> dict[str, float]:
        return {"n_tracks": 50, "accuracy": 0.6, "original_accuracy": 0.5,
                "only_encoded": only_encoded, "only_original": only_original}  # fmt: skip

    changed = _with_study(results, "codec", {"knn": row(6, 2), "majority": row(12, 1)})
    note = codec_chart(changed).note
    assert "one track is 2 points" in note
    assert note.endswith("correction: Majority.")
    same = _with_study(results, "codec", {"knn": row(6, 2)})
    assert codec_chart(same).note.endswith("none of these differences.")


def test_what_a_leaky_split_was_scored_on_stands_beside_it(results: Results) -> None:
    row = {"honest": {"accuracy": 0.7}, **_accuracy(0.8), "split": "tracks"}
    leaky = _with_study(results, "leaky", {
        "knn": {**row, "n_scored": 1237, "folds": [0, 1]},
        "majority": {**row, "n_scored": 249, "folds": [0]},
    })  # fmt: skip
    labels = {label for trace in leaky_chart(leaky).figure.data for label in trace.y}
    assert {label.partition("<br>")[2] for label in labels} == {
        "<i>1,237 tracks of 2 folds</i>", "<i>249 tracks of one fold</i>",
    }  # fmt: skip


def test_a_line_has_the_colour_of_its_kind_and_no_two_of_a_few_the_same() -> None:
    kinds = {"a": "songnet", "b": "statistics", "c": "statistics", "d": "statistics"}
    colors = line_colors(kinds)
    assert (colors["a"], colors["b"]) == (KIND_COLORS["songnet"], KIND_COLORS["statistics"])
    assert len(set(colors.values())) == len(kinds)
    assert len(line_colors({str(n): "statistics" for n in range(20)})) == 20
