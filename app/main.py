"""Entry of the app: `streamlit run app/main.py`. Router and frame, nothing else."""

from pathlib import Path

import streamlit as st

from app import session
from app.components import show_footer

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "app" / "assets"

st.set_page_config(page_title="SongNet", page_icon=str(ASSETS / "icon.svg"), layout="centered")
st.logo(str(ASSETS / "logo.svg"), size="large")
st.html(ASSETS / "style.css")

page = st.navigation(
    [
        st.Page(
            ROOT / "pages" / "classify.py",
            title="Classify",
            icon=":material/graphic_eq:",
            default=True,
        ),
        st.Page(ROOT / "pages" / "live.py", title="Live", icon=":material/sensors:"),
        st.Page(
            ROOT / "pages" / "understand.py",
            title="Understand",
            icon=":material/troubleshoot:",
        ),
        st.Page(ROOT / "pages" / "compare.py", title="Compare", icon=":material/compare:"),
        st.Page(ROOT / "pages" / "explore.py", title="Explore", icon=":material/travel_explore:"),
        st.Page(ROOT / "pages" / "benchmark.py", title="Benchmark", icon=":material/leaderboard:"),
        st.Page(ROOT / "pages" / "model.py", title="Model", icon=":material/schema:"),
        st.Page(ROOT / "pages" / "history.py", title="History", icon=":material/history:"),
    ],
    position="top",
)
session.enter_page(page.url_path)
page.run()
show_footer()
