"""Take SongNet's own pieces from a finished cross-validation, instead of training again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from songnet.benchmark.entries import Entry
from songnet.benchmark.inputs import Inputs
from songnet.benchmark.pieces import Piece, prediction_rows
from songnet.evaluation.calibration import apply_temperature, fit_temperature
from songnet.evaluation.out_of_fold import FoldPredictions
from songnet.exceptions import ParameterError
from songnet.json_text import write_object

__all__ = ["adopt_folds"]


def adopt_folds(
    entry: Entry, cv_dir: Path, *, inputs: Inputs, run_dir: Path, seed: int
) -> list[str]:
    """Finish the studies "folds" and "codec" of a network from ``songnet evaluate``'s folder.

    The trained networks are linked to, for the studies that predict again.

    Parameters
    ----------
    entry : Entry
        A network.
    cv_dir : Path
        With ``fold-0`` and so on.
    inputs : Inputs
    run_dir : Path
    seed : int

    Returns
    -------
    names : list of str
        Pieces that were finished now.

    Raises
    ------
    ParameterError
        If a fold is missing, not finished, or of another recipe, seed or data.
    """
    done: list[str] = []
    for fold in inputs.dataset.folds:
        piece = Piece(entry, "folds", fold)
        if piece.is_done(run_dir, data_hash=inputs.dataset.hash, seed=seed):
            continue
        source = (cv_dir / f"fold-{fold}").resolve()
        result = _check(source, entry, inputs, fold=fold, seed=seed)
        found = FoldPredictions.load(source / "predictions.npz")
        temperature = _adopt(piece, found, inputs, run_dir=run_dir, seed=seed, result=result)
        folder = piece.folder(run_dir)
        write_object(folder / "temperature.json", {"temperature": temperature})
        (folder / "run").unlink(missing_ok=True)
        (folder / "run").symlink_to(source, target_is_directory=True)
        done.append(piece.name)
    return done


def _check(source: Path, entry: Entry, inputs: Inputs, *, fold: int, seed: int) -> dict[str, Any]:
    """Return what the training said at its end, if it is the one that this piece would make."""
    for name in ("run.json", "result.json", "predictions.npz"):
        if not (source / name).is_file():
            raise ParameterError(
                f"{source / name} is missing; finish `songnet evaluate` of this fold first."
            )
    run = json.loads((source / "run.json").read_text(encoding="utf-8"))
    wanted = entry.settings
    wanted = replace(wanted, training=wanted.training.replace(seed=seed))
    train = inputs.dataset.select(lambda track: track.fold != fold)
    if type(wanted).from_dict(run["settings"]) != wanted:
        raise ParameterError(f"{source} is of another recipe or seed than {entry.name}.")
    if run["data_hash"] != train.hash:
        raise ParameterError(f"{source} was trained on other data than fold {fold} asks for.")
    result: dict[str, Any] = json.loads((source / "result.json").read_text(encoding="utf-8"))
    return result


def _adopt(
    piece: Piece,
    found: FoldPredictions,
    inputs: Inputs,
    *,
    run_dir: Path,
    seed: int,
    result: dict[str, Any],
) -> float:
    """Write both pieces; return the temperature of the artists held out."""
    genres = inputs.dataset.genres
    tracks = {track.track_id: track for track in inputs.dataset}
    held_out = [genres.index(tracks[name].genre) for name in found.held_out_ids]
    temperature = fit_temperature(found.held_out_logits, held_out)
    known = {"epochs", "kept_epoch", "val_accuracy"}
    about = {key: value for key, value in result.items() if key in known}
    codec = Piece(piece.entry, "codec", piece.fold)
    for target, names, logits, condition in (
        (codec, found.twin_ids, found.twin_logits, "original"),
        (piece, found.track_ids, found.logits["keras"], "clean"),
    ):
        rows = prediction_rows(
            target,
            [tracks[name] for name in names],
            apply_temperature(logits, temperature),
            dataset=inputs.dataset,
            seed=seed,
            condition=condition,
        )
        target.finish(
            run_dir,
            data_hash=inputs.dataset.hash,
            seed=seed,
            results={**about, "n_tracks": len(names)},
            rows=rows,
        )
    return temperature
