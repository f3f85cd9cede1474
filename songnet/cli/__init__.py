"""The command line: ``songnet --help``."""
