"""What each choice of SongNet's network and recipe is worth: one changed at a time, on inner folds.

    SONGNET_CORPUS=/path/to/corpus python -m benchmarks.experiments --store data/cache/features

Two of the corpus's folds are each left out as a whole, so that nothing is chosen by them; the
network learns from three of the others and is tried on the fourth, with two seeds. It is the
convolutional network alone, for a short schedule of one cycle: this tells what shortens the way,
not what pays only after a hundred epochs, as strong augmentation may. Every run is resumed where it
stopped; processes share the work with ``--only``. Each ends by writing all that is complete to
``benchmarks/results/experiments.json``, where a variation that was not run on this machine keeps
its row if data and settings are the same, and ``make readme`` the table in ``docs/experiments.md``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.record import RESULTS, save_result
from songnet.benchmark.entries import Entry
from songnet.benchmark.inputs import Inputs
from songnet.benchmark.learners import learn
from songnet.config import FeatureConfig, ModelConfig, TrainConfig
from songnet.datasets.base import Dataset, Track
from songnet.datasets.corpus import load_corpus
from songnet.evaluation.metrics import accuracy, balanced_accuracy
from songnet.json_text import to_plain, write_object
from songnet.signal.degrade import find_rooms
from songnet.training.run_folder import TrainSettings

__all__ = ["BASE", "VARIATIONS", "Split", "Variation", "inner_split", "summarise"]

EPOCHS = 20
SEEDS = (0, 1)
METRICS = ("accuracy", "balanced_accuracy")
_RESULT = RESULTS / "experiments.json"
_MODEL = ModelConfig(statistics_units=0)
_TRAINING = TrainConfig(epochs=EPOCHS, restarts=(), patience=EPOCHS)


@dataclass(frozen=True)
class Variation:
    """One change of the settings.

    Parameters
    ----------
    name : str
        Of its folder.
    title : str
        What is changed, for a person.
    model, training : dict
        Settings that differ from the base.
    """

    name: str
    title: str
    model: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> TrainSettings:
        """Return the whole settings, of seed 0."""
        return TrainSettings(
            FeatureConfig(), _MODEL.replace(**self.model), _TRAINING.replace(**self.training)
        )

    @property
    def settings_hash(self) -> str:
        """Return what tells one row's settings from those that had its name before."""
        settings = self.settings
        return "-".join((settings.features.hash, settings.model.hash, settings.training.hash))


BASE = Variation("base", "SongNet's convolutional network and recipe")
VARIATIONS = (
    BASE,
    Variation("twice-the-epochs", f"{2 * EPOCHS} epochs", training={
        "epochs": 2 * EPOCHS, "patience": 2 * EPOCHS,
    }),
    Variation("one-dimensional", "no 2-D front end", model={"front_end_filters": ()}),
    Variation("no-gru", "attention alone, no GRU", model={"gru_units": 0}),
    Variation("longer-kernels", "Conv1D kernels of 5", model={"kernel_sizes": (5, 5, 5)}),
    Variation("more-dropout", "dropout 0.5, 0.2 in the blocks", model={
        "dropout": 0.5, "conv_dropout": 0.2,
    }),
    Variation("no-mixup", "no mixup", training={"mixup_alpha": 0.0}),
    Variation("no-masks", "no SpecAugment", training={"time_masks": 0, "mel_masks": 0}),
    Variation("no-stretch", "no stretch and no mel shift", training={
        "stretch": 0.0, "mel_shift_bands": 0,
    }),
    Variation("no-equaliser", "no random gain and equaliser", training={
        "gain_db": 0.0, "eq_db": 0.0,
    }),
    Variation("no-degraded", "no crops through a microphone", training={"degraded_share": 0.0}),
    Variation("no-smoothing", "no label smoothing", training={"label_smoothing": 0.0}),
    Variation("no-weights", "no weights of genres", training={"class_weight_power": 0.0}),
    Variation("full-weights", "genres weighted alike", training={"class_weight_power": 1.0}),
    Variation("larger-batch", "batches of 32", training={"batch_size": 32}),
    Variation("higher-rate", "twice the learning rate", training={"learning_rate": 3e-3}),
    Variation("lower-rate", "half the learning rate", training={"learning_rate": 7.5e-4}),
)  # fmt: skip


class Split(NamedTuple):
    """Fold that is left out as a whole, and fold that is tried on."""

    left_out: int
    tried: int


SPLITS = (Split(0, 1), Split(2, 3))


def inner_split(dataset: Dataset, split: Split) -> tuple[Dataset, tuple[Track, ...]]:
    """Return what to learn from, and the tracks to try; none is of the fold that is left out."""
    learned = dataset.select(lambda track: track.fold not in split)
    return learned, tuple(t for t in dataset if t.fold == split.tried and t.evaluate)


def run(
    variation: Variation,
    split: Split,
    seed: int,
    *,
    inputs: Inputs,
    run_dir: Path,
) -> dict[str, Any]:
    """Train and try one network, or read what that gave before."""
    dataset = inputs.dataset
    folder = run_dir / variation.name / f"without-{split.left_out}-on-{split.tried}-seed-{seed}"
    score = folder / "score.json"
    settings = variation.settings
    entry = Entry(
        variation.name,
        "variation",
        variation.title,
        "",
        features=settings.features,
        model=settings.model,
        training=settings.training.replace(seed=seed),
    )
    asked = {"settings": entry.settings.to_dict(), "data_hash": dataset.hash}
    if score.is_file():
        written: dict[str, Any] = json.loads(score.read_text(encoding="utf-8"))
        if {name: written[name] for name in asked} == to_plain(asked):
            return written
        raise SystemExit(f"{folder} holds other settings or data; name another --run-dir.")
    learned, tried = inner_split(dataset, split)
    network, _ = learn(
        entry, learned, inputs=inputs, folder=folder, genres=dataset.genres, seed=seed
    )
    probs = network.predict(tried, inputs)
    y_true = np.array([dataset.genres.index(track.genre) for track in tried])
    row = {
        **asked,
        "variation": variation.name,
        "left_out": split.left_out,
        "tried": split.tried,
        "seed": seed,
        "n_tracks": len(tried),
        "accuracy": accuracy(y_true, probs),
        "balanced_accuracy": balanced_accuracy(y_true, probs),
    }
    write_object(score, to_plain(row))
    return row


def summarise(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean of the runs of each variation that has all, and its gain on the base, run by run.

    The standard error is that of four paired runs: it holds the noise of the seeds and of the
    folds, and tells little of other music.
    """
    of_run: dict[str, dict[tuple[int, int, int], dict[str, Any]]] = {}
    for row in rows:
        key = (row["left_out"], row["tried"], row["seed"])
        of_run.setdefault(row["variation"], {})[key] = row
    wanted = {(*split, seed) for split, seed in product(SPLITS, SEEDS)}
    complete = [v for v in VARIATIONS if set(of_run.get(v.name, ())) == wanted]
    return [
        {
            "name": v.name,
            "title": v.title,
            "settings_hash": v.settings_hash,
            **_means(of_run[v.name], of_run.get(BASE.name, {})),
        }
        for v in complete
    ]


def _means(
    runs: dict[tuple[int, int, int], dict[str, Any]],
    base: dict[tuple[int, int, int], dict[str, Any]],
) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for metric in METRICS:
        values = np.array([runs[key][metric] for key in sorted(runs)])
        summary[metric] = values.mean()
        summary[f"{metric}_runs"] = values
        if set(base) == set(runs) and base is not runs:
            gains = values - np.array([base[key][metric] for key in sorted(runs)])
            summary[f"{metric}_gain"] = gains.mean()
            summary[f"{metric}_gain_error"] = gains.std(ddof=1) / np.sqrt(gains.size)
    return summary


def _published(data_hash: str) -> list[dict[str, Any]]:
    """Runs that the written result holds, of these data and of today's settings."""
    if not _RESULT.is_file():
        return []
    result = json.loads(_RESULT.read_text(encoding="utf-8"))
    if result["data_hash"] != data_hash:
        return []
    settings_hashes = {v.name: v.settings_hash for v in VARIATIONS}
    runs = sorted((*split.values(), seed) for split in result["splits"] for seed in result["seeds"])
    return [
        {
            "variation": row["name"],
            **dict(zip(("left_out", "tried", "seed"), run, strict=True)),
            **{metric: row[f"{metric}_runs"][index] for metric in METRICS},
        }
        for row in result["variations"]
        if row["settings_hash"] == settings_hashes.get(row["name"])
        for index, run in enumerate(runs)
    ]


def save(run_dir: Path, dataset: Dataset) -> None:
    """Write the summary of all runs that are there or published; none without the base."""
    paths = sorted(run_dir.glob("*/*/score.json"))
    here = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    variations = summarise([*_published(dataset.hash), *here])
    if BASE.name not in {row["name"] for row in variations}:
        print(f"Nothing is summarised before all runs of {BASE.name!r} are in {run_dir}.")
        return
    save_result(
        _RESULT,
        {
            "what": f"inner folds of {dataset.name}: trained on three folds, tried on a fourth, "
            "the fifth left out; no statistics branch, one cycle",
            "epochs": EPOCHS,
            "splits": [split._asdict() for split in SPLITS],
            "seeds": SEEDS,
            "data_hash": dataset.hash,
            "variations": variations,
        },
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is not done yet and write the summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    names = [variation.name for variation in VARIATIONS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--store", type=Path, required=True, help="features of the corpus")
    parser.add_argument("--run-dir", type=Path, default=Path("runs/experiments"))
    options = parser.parse_args(arguments)
    dataset = load_corpus()
    inputs = Inputs(dataset, options.store, rooms_folder=find_rooms())
    inputs.prepare(BASE.settings.features, dataset.tracks)
    inputs.prepare_degraded(BASE.settings.features, dataset.tracks)
    for variation in VARIATIONS:
        if variation.name not in options.only:
            continue
        for split, seed in product(SPLITS, SEEDS):
            row = run(variation, split, seed, inputs=inputs, run_dir=options.run_dir)
            print(
                f"{variation.name} {split} seed {seed}: {row['accuracy']:.1%} "
                f"(balanced {row['balanced_accuracy']:.1%})",
                flush=True,
            )
    save(options.run_dir, dataset)


if __name__ == "__main__":
    main()
