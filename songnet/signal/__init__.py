"""Sound in, arrays out: the one signal path of training, app, CLI and live."""
