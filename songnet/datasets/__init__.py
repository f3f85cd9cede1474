"""Collections of labelled tracks, their splits and their cached features."""
