"""What decoding one file may cost."""

from __future__ import annotations

from dataclasses import dataclass

from songnet.exceptions import AudioTooLongError

__all__ = ["MAX_CHANNELS", "SAMPLE_RATES_HZ", "DecodeLimits"]

# Sound beyond these is damaged or made to cost much.
SAMPLE_RATES_HZ = (1_000, 768_000)
MAX_CHANNELS = 64

# The most work that a second of real music is: 7.1 at 48 kHz, or stereo at 192 kHz.
_LIMIT_CHANNELS, _LIMIT_RATE_HZ = 8, 48_000


@dataclass(frozen=True)
class DecodeLimits:
    """What one file may cost; untrusted uploads never get more.

    Parameters
    ----------
    max_bytes : int
        Largest encoded size.
    max_seconds : float
        Longest duration, checked while decoding: headers are not believed.
        Rate and channels multiply the work of a second, so the samples of all
        channels are bounded too, by what this many seconds of 8 channels at
        48 kHz hold.
    own_process : bool
        Decode in a process of its own, as servers do: a file that breaks the
        decoder, or takes all memory, costs an error and not the server.
    """

    max_bytes: int = 200 * 2**20
    max_seconds: float = 3600.0
    own_process: bool = False

    def check(self, n_samples: int, *, sr: int, channels: int) -> None:
        """Refuse audio that has grown beyond the limits.

        Parameters
        ----------
        n_samples : int
            Decoded so far, in each channel.
        sr, channels : int
            Rate in Hz and channels of the file.

        Raises
        ------
        AudioTooLongError
            If it is longer, or holds more samples over all channels.
        """
        limit = f"the limit of {self.max_seconds / 60:.3g} minutes"
        if n_samples > self.max_seconds * sr:
            raise AudioTooLongError(f"The audio is longer than {limit}; cut it into parts.")
        if n_samples * channels > self.max_seconds * _LIMIT_CHANNELS * _LIMIT_RATE_HZ:
            raise AudioTooLongError(
                f"The audio has {channels} channels at {sr} Hz: more samples than {limit} allows, "
                f"which counts {_LIMIT_CHANNELS} channels at {_LIMIT_RATE_HZ} Hz. Export it in "
                "stereo at 48000 Hz or cut it into parts."
            )
