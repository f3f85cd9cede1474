"""Tables of figures, all written alike."""

from __future__ import annotations

import pandas as pd
import streamlit as st

__all__ = ["show_table"]


def show_table(frame: pd.DataFrame, *, alt: str, decimals: int = 0, first: str = "") -> None:
    """Show a table that sorts by its values, whatever their cells read.

    Parameters
    ----------
    frame : pandas.DataFrame
    alt : str
        What it is, for a screen reader.
    decimals : int
        Of all that are no whole numbers; what is missing is a hyphen.
    first : str
        Column that stays in sight where the table is wider than the page.
    """
    pinned = {first: st.column_config.TextColumn(pinned=True)} if first else {}
    st.dataframe(
        frame.style.format(precision=decimals, thousands=","),
        placeholder="-",
        hide_index=True,
        height="content",
        alt=alt,
        column_config=pinned,
    )
