"""Settings of a training from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from songnet.exceptions import ParameterError

if TYPE_CHECKING:
    from songnet.training.run_folder import TrainSettings

__all__ = ["BatchSize", "Changes", "Epochs", "Seed", "read_settings"]

Seed = Annotated[int | None, typer.Option(min=0, help="Short for --set training.seed=….")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Short for --set training.epochs=….")]
BatchSize = Annotated[
    int | None, typer.Option(min=1, help="Short for --set training.batch_size=….")
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.NAME=VALUE",
        help="Change a setting of features, model or training; may be given often.",
    ),
]


def read_settings(changes: Iterable[str] | None, **training: int | None) -> TrainSettings:
    """Return the default settings with some changed.

    Parameters
    ----------
    changes : iterable of str, optional
        Each ``section.name=value``, the value in JSON or a bare word.
    **training : int or None
        Settings of the training that have options of their own; None where
        the option was not given.

    Raises
    ------
    ParameterError
        If a change is not of that form, names no setting or has a value of
        another type.
    """
    from songnet.training.run_folder import TrainSettings

    values = TrainSettings().to_dict()
    values["training"] |= {name: value for name, value in training.items() if value is not None}
    for change in changes or ():
        _apply(change, values)
    return TrainSettings.from_dict(values)


def _apply(change: str, values: Mapping[str, dict[str, Any]]) -> None:
    path, equals, text = change.partition("=")
    section, dot, name = path.partition(".")
    if not (equals and dot):
        raise ParameterError(f"{change!r} is no setting; expected SECTION.NAME=VALUE.")
    if name not in values.get(section, {}):
        known = [f"{section}.{name}" for section in values for name in values[section]]
        raise ParameterError(f"There is no setting {path!r}; expected one of {', '.join(known)}.")
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    default = values[section][name]
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(default):
        raise ParameterError(f"{path} is {text}; expected a value such as {json.dumps(default)}.")
    values[section][name] = value
