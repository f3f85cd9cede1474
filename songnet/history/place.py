"""Where the history is kept, if it is."""

from __future__ import annotations

import os

__all__ = ["HISTORY_VARIABLE", "history_url"]

HISTORY_VARIABLE = "SONGNET_HISTORY"


def history_url(setting: str | None = None) -> str | None:
    """Return the URL of the history that a setting means.

    Parameters
    ----------
    setting : str, optional
        "off", "on" for a SQLite file in the data folder of the user, or a URL
        of SQLAlchemy; the variable SONGNET_HISTORY if not given.

    Returns
    -------
    url : str or None
        None where no history is kept, which is the default.
    """
    setting = os.environ.get(HISTORY_VARIABLE, "off") if setting is None else setting
    if setting.lower() in ("", "off"):
        return None
    if setting.lower() != "on":
        return setting
    import platformdirs

    path = platformdirs.user_data_path("songnet") / "history.db"
    return f"sqlite:///{path}"
