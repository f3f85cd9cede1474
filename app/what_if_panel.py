"""The panel What if: change the sound, hear it, see the prediction move."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import track_services
from app.analysis import Analysis
from app.charts import clock_text
from app.charts_change import change_figure
from app.components import answer_text, percent, show_error
from app.downloads import download_stem
from app.services import load_classifier
from app.session import Clip
from app.sound_panel import NAVIGATOR_CONFIG
from app.track_state import TrackState
from songnet.exceptions import SongNetError
from songnet.inference.prediction import Prediction
from songnet.inference.what_if import Edits
from songnet.signal.audio import DecodeLimits

__all__ = ["show_what_if"]

_OFF = "off"
_QUIET = (_OFF, "-50 dBFS", "-40 dBFS", "-30 dBFS", "-20 dBFS")
_NOISE = (_OFF, "30 dB", "20 dB", "10 dB", "0 dB")
_HZ_STEP = 50


def show_what_if(
    clip: Clip, analysis: Analysis, state: TrackState, *, limits: DecodeLimits
) -> None:
    """Show the controls, and the prediction before and after.

    Parameters
    ----------
    clip : Clip
    analysis : Analysis
    state : TrackState
    limits : DecodeLimits
    """
    _show_controls(clip, state)
    edits = state.edits[-1]
    with st.container(horizontal=True):
        st.button(
            "Undo",
            icon=":material/undo:",
            on_click=_undo,
            args=(clip, state),
            disabled=len(state.edits) == 1,
        )
        st.button(
            "Reset",
            icon=":material/restart_alt:",
            on_click=_reset,
            args=(clip, state),
            disabled=edits.is_none,
        )
    if edits.is_none:
        st.info("Change something above: the genre is named again.", icon=":material/tune:")
        return
    with st.spinner("Listening again …"):
        edited = track_services.predict_edited(clip, edits, limits=limits)
    if isinstance(edited.prediction, SongNetError):
        show_error(edited.prediction)
    else:
        _show_change(clip, analysis.prediction, edited.prediction)
    st.subheader("The changed track", anchor=False)
    st.audio(edited.wav, format="audio/wav", alt="Player of the changed track")
    st.download_button(
        "Changed track (WAV)",
        edited.wav,
        file_name=f"{download_stem(clip.name)}-changed.wav",
        mime="audio/wav",
        icon=":material/download:",
        on_click="ignore",
    )


def _keys(clip: Clip) -> dict[str, str]:
    names = ("stretch", "band", "quiet", "noise", "tempo", "level")
    return {name: f"what-if-{name}-{clip.number}" for name in names}


def _show_controls(clip: Clip, state: TrackState) -> None:
    keys, duration = _keys(clip), state.duration_seconds
    _restore_widgets(keys, state)
    changed: dict[str, Any] = {"on_change": _take, "args": (clip, state)}
    left, right = st.columns(2, gap="medium")
    with left:
        st.slider(
            "Mute these seconds",
            min_value=0.0,
            max_value=round(duration, 1),
            step=0.1 if duration < 120 else 1.0,
            format="%.1f s",
            key=keys["stretch"],
            **changed,
        )
        st.slider(
            "Mute these frequencies",
            min_value=0,
            max_value=_highest_hz(),
            step=_HZ_STEP,
            format="%d Hz",
            key=keys["band"],
            **changed,
        )
        st.selectbox("Mute what is quieter than", _QUIET, key=keys["quiet"], **changed)
    with right:
        st.slider(
            "Level",
            min_value=-40.0,
            max_value=20.0,
            step=1.0,
            format="%+.0f dB",
            key=keys["level"],
            **changed,
        )
        st.slider(
            "Tempo, at the same pitch",
            min_value=0.5,
            max_value=2.0,
            step=0.05,
            format="%.2f",
            key=keys["tempo"],
            **changed,
        )
        st.selectbox("Add noise, below the music by", _NOISE, key=keys["noise"], **changed)


def _restore_widgets(keys: dict[str, str], state: TrackState) -> None:
    """Give back what another page forgot: widgets lose their state where they are not shown."""
    for name, value in _widget_values(state.edits[-1]).items():
        st.session_state.setdefault(keys[name], value)


def _highest_hz() -> int:
    return load_classifier().bundle.features.sr // 2 // _HZ_STEP * _HZ_STEP


def _widget_values(edits: Edits) -> dict[str, Any]:
    """What the widgets show for these edits."""
    quiet, noise = edits.mute_below_dbfs, edits.noise_snr_db
    return {
        "stretch": (edits.mute_from_seconds, edits.mute_to_seconds),
        "band": (int(edits.mute_from_hz), int(edits.mute_to_hz)),
        "quiet": _OFF if quiet is None else f"{quiet:.0f} dBFS",
        "noise": _OFF if noise is None else f"{noise:.0f} dB",
        "tempo": edits.tempo,
        "level": edits.level_db,
    }


def _take(clip: Clip, state: TrackState) -> None:
    """Turn what the widgets show into edits, and keep those before for Undo."""
    said = {name: st.session_state[key] for name, key in _keys(clip).items()}
    (start, end), (low, high) = said["stretch"], said["band"]
    edits = Edits(
        mute_from_seconds=start if end > start else 0.0,
        mute_to_seconds=end if end > start else 0.0,
        mute_below_dbfs=_number(said["quiet"]),
        mute_from_hz=float(low) if high > low else 0.0,
        mute_to_hz=float(high) if high > low else 0.0,
        noise_snr_db=_number(said["noise"]),
        tempo=round(said["tempo"], 2),
        level_db=said["level"],
    )
    if edits != state.edits[-1]:
        state.edits.append(edits)


def _number(text: str) -> float | None:
    return None if text == _OFF else float(text.split(maxsplit=1)[0])


def _undo(clip: Clip, state: TrackState) -> None:
    state.edits.pop()
    _write_widgets(clip, state)


def _reset(clip: Clip, state: TrackState) -> None:
    state.edits.append(Edits())
    _write_widgets(clip, state)


def _write_widgets(clip: Clip, state: TrackState) -> None:
    for name, value in _widget_values(state.edits[-1]).items():
        st.session_state[_keys(clip)[name]] = value


def _show_change(clip: Clip, before: Prediction, after: Prediction) -> None:
    st.markdown(f"**{answer_text(before)} → {answer_text(after)}**")
    st.plotly_chart(
        change_figure(before.genres, before.probs, after.probs, names=("before", "after")),
        key=f"change-{clip.number}",
        config=NAVIGATOR_CONFIG,
        alt="Probability of each genre before and after: "
        + ", ".join(
            f"{item.genre} {percent(item.probability)} to "
            f"{percent(float(after.probs[before.genres.index(item.genre)]))}"
            for item in before.top(3)
        ),
    )
    st.caption(
        "Upper bar: before; lower bar: after. The changed track lasts "
        f"{clock_text(after.duration_seconds)}."
    )
    for warning in after.warnings:
        st.warning(warning, icon=":material/info:")
