"""One module per `aicc` command; loaded only when called, so that `aicc scan` starts fast."""
