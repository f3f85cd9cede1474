"""Every error that SongNet raises on purpose.

A message states the value, what was expected and what to do about it.
"""


class SongNetError(Exception):
    """Base of all errors of this library."""


class ParameterError(SongNetError, ValueError):
    """A caller passed something impossible."""


class AudioError(SongNetError):
    """The audio of one file cannot be used."""


class AudioDecodeError(AudioError):
    """The bytes are not audio that can be decoded."""


class DecoderFaultError(AudioDecodeError):
    """The decoder broke down, by the file or for want of memory: another try may succeed."""


class DecoderStartError(DecoderFaultError):
    """The process that decodes does not start; no file is to blame."""


class AudioTooShortError(AudioError):
    """Less audio than a prediction needs."""


class AudioTooLongError(AudioError):
    """More audio, or a larger file, than the limit allows."""


class SilentAudioError(AudioError):
    """The audio holds no sound to name."""


class RemoteAudioError(AudioError):
    """An address cannot be listened to: refused, unreachable or not audio."""


class BundleError(SongNetError):
    """A model folder is missing, changed or of another schema."""


class ExplanationError(SongNetError):
    """Gradients could not be computed to their end."""


class WorkerError(SongNetError):
    """A process that works for this one ended without an answer."""


class WorkerStartError(WorkerError):
    """A process ended before it could be called."""


class WorkerLateError(WorkerError):
    """A process was ended because its time was over."""


class DatasetError(SongNetError):
    """An index, checksum or split is missing or wrong."""


class ResultsError(SongNetError):
    """The results of a benchmark are damaged."""


class HistoryError(SongNetError):
    """The history cannot be opened, or does not answer."""
