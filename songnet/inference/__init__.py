"""From a file to a genre: bundle, runtime and classifier."""
