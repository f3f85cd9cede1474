"""JSON: what people read, and results with plain types, rounded floats, whole files or none."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from songnet.exceptions import ParameterError

__all__ = ["readable_json", "to_plain", "write_object"]

_DIGITS = 6


def readable_json(value: object) -> str:
    """Write a value as JSON for people: indented, in any script, a newline at the end.

    Parameters
    ----------
    value : JSON types

    Returns
    -------
    text : str
    """
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def to_plain(value: Any) -> Any:
    """Turn numpy values and tuples into JSON types, and round floats.

    Parameters
    ----------
    value : JSON types, mappings, tuples, numpy arrays and scalars

    Returns
    -------
    plain : dict, list, str, int, float, bool or None
        Floats have six significant digits.

    Raises
    ------
    ParameterError
        If a float is not finite, or a type has no form in JSON.
    """
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return to_plain(value.tolist())
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ParameterError(f"A section holds {value}; JSON has no such number, use None.")
        return float(f"{value:.{_DIGITS}g}")
    if value is None or isinstance(value, str | int):
        return value
    raise ParameterError(
        f"A section holds a {type(value).__name__}; expected JSON types, such as a list or str."
    )


def write_object(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object, one key a line, all of it or nothing.

    Parameters
    ----------
    path : Path
        Its folder is made if missing; a file there is replaced.
    values : mapping of JSON types
    """
    lines = [
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for key, value in values.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
