"""What a microphone across the room hears: a small speaker, a room, noise, a codec.

The degradation works on waveforms, so it is computed once for each track and
its features are stored beside the clean ones. Training draws its crops from
both; evaluation has a fixed, harder one, with rooms that training never used.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
import soxr

from songnet.config import Config
from songnet.exceptions import AudioError, DatasetError, ParameterError
from songnet.signal.audio import Waveform, load_audio
from songnet.signal.decoders import PyAVStream

__all__ = [
    "SOUNDS_VARIABLE",
    "TEST_DEGRADATION",
    "TRAINING_DEGRADATION",
    "Degradation",
    "degrade",
    "find_rooms",
    "recode",
]

SOUNDS_VARIABLE = "SONGNET_SOUNDS"
_TEST_ROOMS_EVERY = 5
_SYNTHETIC_ROOMS = 24
_CONTAINERS = {"libopus": "ogg", "libmp3lame": "mp3", "aac": "adts"}

Range = tuple[float, float]


@dataclass(frozen=True)
class Degradation(Config):
    """How music is made to sound as through a microphone. Ranges are drawn from uniformly.

    Parameters
    ----------
    name : str
    rooms_folder : str
        Folder of impulse responses; empty for synthetic ones.
    is_test : bool
        Use the fifth of the rooms that is kept for tests, or the others.
    room_share : float
        Share of tracks that are played in a room.
    wet : (float, float)
        Level of the room's response beside the direct sound, from 0 to 1.
    low_hz, high_hz : (float, float)
        Limits of the small speaker's band.
    snr_db : (float, float)
        Music against noise.
    gain_db : (float, float)
    codecs : tuple of str
        FFmpeg encoders to choose from.
    bit_rate : (float, float)
        In bit/s.
    seed : int
    """

    name: str = "microphone"
    rooms_folder: str = ""
    is_test: bool = False
    room_share: float = 0.8
    wet: Range = (0.2, 0.8)
    low_hz: Range = (60.0, 350.0)
    high_hz: Range = (3500.0, 7800.0)
    snr_db: Range = (5.0, 35.0)
    gain_db: Range = (-18.0, 3.0)
    codecs: tuple[str, ...] = ("libopus", "libmp3lame", "aac")
    bit_rate: Range = (16_000.0, 64_000.0)
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = sorted(set(self.codecs) - set(_CONTAINERS))
        if unknown:
            raise ParameterError(f"codecs has {unknown}; expected some of {sorted(_CONTAINERS)}.")
        for name in ("wet", "low_hz", "high_hz", "snr_db", "gain_db", "bit_rate"):
            low, high = getattr(self, name)
            if low > high:
                raise ParameterError(f"{name} is {(low, high)}; expected the lower value first.")

    def describe(self) -> dict[str, Any]:
        """Return what a result says of it: not where the rooms lie, but which they are."""
        rooms = "measured" if self.rooms_folder else "synthetic"
        values = {key: value for key, value in self.to_dict().items() if key != "rooms_folder"}
        return {**values, "rooms": rooms, "hash": self.hash}

    @property
    def hash(self) -> str:
        """Hash of the settings and of the rooms' bytes, not of where the rooms lie."""
        digest = hashlib.sha256(self.replace(rooms_folder="").to_json().encode())
        for path in _room_files(self.rooms_folder):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]


TRAINING_DEGRADATION = Degradation()
TEST_DEGRADATION = Degradation(
    name="microphone-test",
    is_test=True,
    room_share=1.0,
    wet=(0.6, 0.6),
    low_hz=(200.0, 200.0),
    high_hz=(5500.0, 5500.0),
    snr_db=(10.0, 10.0),
    gain_db=(-6.0, -6.0),
    codecs=("libopus",),
    bit_rate=(24_000.0, 24_000.0),
)


def find_rooms(sounds: Path | None = None) -> str:
    """Return the folder of impulse responses, or "" where there is none.

    Parameters
    ----------
    sounds : Path, optional
        Folder with ``rooms/``; without it the environment variable SONGNET_SOUNDS.

    Raises
    ------
    DatasetError
        If a folder is named and has no rooms.
    """
    named = sounds or (
        Path(os.environ[SOUNDS_VARIABLE]) if os.environ.get(SOUNDS_VARIABLE) else None
    )
    if named is None:
        return ""
    folder = named / "rooms"
    if not folder.is_dir() or not any(folder.iterdir()):
        raise DatasetError(f"{folder} holds no impulse responses; expected audio files of rooms.")
    return str(folder)


def degrade(y: Waveform, *, sr: int, key: str, settings: Degradation) -> Waveform:
    """Play music through a small speaker in a room, record and encode it.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio in [-1, 1].
    sr : int
        Sample rate in Hz.
    key : str
        Identity of the track: the same key gives the same result.
    settings : Degradation

    Returns
    -------
    y : np.ndarray [shape=(n,), dtype=float32]
        As long as before.
    """
    seed = int.from_bytes(hashlib.sha256(f"{settings.seed} {key}".encode()).digest()[:8])
    rng = np.random.default_rng(seed)
    heard = _speaker_and_room(y, rng, sr=sr, settings=settings)
    heard = heard + _noise(heard, rng, snr_db=rng.uniform(*settings.snr_db))
    heard = np.clip(heard * 10 ** (rng.uniform(*settings.gain_db) / 20), -1, 1)
    codec = str(rng.choice(settings.codecs))
    return recode(
        heard.astype(np.float32), sr=sr, codec=codec, bit_rate=int(rng.uniform(*settings.bit_rate))
    )


def recode(y: Waveform, *, sr: int, codec: str, bit_rate: int) -> Waveform:
    """Encode with a lossy codec, in memory, and decode again.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
    sr : int
        A rate that the codec takes; 16,000 Hz is one of all of them.
    codec : {"libopus", "libmp3lame", "aac"}
    bit_rate : int
        In bit/s; encoders take the nearest they have.

    Returns
    -------
    y : np.ndarray [shape=(n,), dtype=float32]
    """
    file = io.BytesIO()
    with av.open(file, "w", format=_CONTAINERS[codec]) as output:
        stream = cast(av.AudioStream, output.add_stream(codec, rate=sr, layout="mono"))
        stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(y[None, :], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = sr, 0
        context = stream.codec_context
        resampler = av.AudioResampler(
            format=context.format, layout="mono", rate=sr, frame_size=context.frame_size
        )
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    file.seek(0)
    # Not by libsndfile, which complains on stderr about some frames of sound MP3s.
    with PyAVStream(file) as encoded:
        decoded = np.concatenate([block[:, 0] for block in encoded.blocks()])
        decoded = soxr.resample(decoded, encoded.sr, sr)
    same_length = np.zeros_like(y)
    same_length[: decoded.size] = decoded[: y.size]
    return same_length


def _speaker_and_room(
    y: Waveform, rng: np.random.Generator, *, sr: int, settings: Degradation
) -> Waveform:
    """Filter in the frequency domain, at the level that the music had."""
    rooms = _load_rooms(settings.rooms_folder, settings.is_test, sr)
    room = rooms[rng.integers(len(rooms))]
    wet = rng.uniform(*settings.wet) if rng.random() < settings.room_share else 0.0
    n_fft = 1 << (y.size + room.size - 1).bit_length()
    hz = np.fft.rfftfreq(n_fft, 1 / sr)
    low, high = rng.uniform(*settings.low_hz), rng.uniform(*settings.high_hz)
    # Magnitudes of Butterworth filters: second order below the band, fourth above.
    band = 1 / np.sqrt((1 + (low / np.maximum(hz, 1)) ** 4) * (1 + (hz / high) ** 8))
    response = band * ((1 - wet) + wet * np.fft.rfft(room, n_fft))
    heard = np.fft.irfft(np.fft.rfft(y, n_fft) * response, n_fft)[: y.size]
    level = np.sqrt(np.mean(np.square(y)) / max(float(np.mean(np.square(heard))), 1e-12))
    scaled: Waveform = (heard * level).astype(np.float32)
    return scaled


def _noise(y: Waveform, rng: np.random.Generator, *, snr_db: float) -> Waveform:
    """Stationary noise, from white to red, as loud as the ratio says."""
    slope = rng.uniform(0, 1)
    spectrum = np.fft.rfft(rng.standard_normal(y.size))
    spectrum /= np.maximum(np.arange(spectrum.size), 1) ** slope
    noise = np.fft.irfft(spectrum, y.size)
    power = np.mean(np.square(y)) / 10 ** (snr_db / 10)
    scaled: Waveform = (noise * np.sqrt(power / np.mean(np.square(noise)))).astype(np.float32)
    return scaled


def _room_files(folder: str) -> list[Path]:
    return sorted(path for path in Path(folder).iterdir() if path.is_file()) if folder else []


@lru_cache(maxsize=4)
def _load_rooms(folder: str, is_test: bool, sr: int) -> tuple[Waveform, ...]:  # noqa: FBT001
    """Impulse responses of unit energy: every fifth is for tests, the others for training."""
    files = _room_files(folder)
    read: Callable[[int], Waveform] = lambda index: _read_room(files[index], sr)  # noqa: E731
    count = len(files)
    if not files:
        read, count = lambda index: _synthetic_room(index, sr), _SYNTHETIC_ROOMS
    chosen = [i for i in range(count) if (i % _TEST_ROOMS_EVERY == 0) == is_test]
    if not chosen:
        raise DatasetError(f"{folder} holds {count} rooms; expected at least two.")
    return tuple(read(index) for index in chosen)


def _read_room(path: Path, sr: int) -> Waveform:
    try:
        response, _ = load_audio(path, sr=sr)
    except AudioError as error:
        raise DatasetError(f"The room {path} cannot be read: {error}") from error
    return _unit_energy(response[int(np.argmax(np.abs(response))) :])


def _synthetic_room(seed: int, sr: int) -> Waveform:
    """Exponentially decaying noise.

    References
    ----------
    .. [1] Polack, J.-D. "La transmission de l'énergie sonore dans les salles",
       thesis, Université du Maine, 1988.
    """
    rng = np.random.default_rng(seed)
    seconds = np.arange(sr) / sr
    decay = 6.9 / rng.uniform(0.15, 1.0)  # -60 dB after that many seconds
    return _unit_energy((rng.standard_normal(sr) * np.exp(-decay * seconds)).astype(np.float32))


def _unit_energy(response: npt.NDArray[np.float32]) -> Waveform:
    unit: Waveform = response / np.float32(np.linalg.norm(response))
    return unit
