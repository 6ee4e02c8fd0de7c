"""Writers of a release: they take tables and compute nothing."""
