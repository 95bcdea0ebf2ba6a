"""`aicc doctor`: what can be wrong, one small function each, all at once and within three seconds."""
