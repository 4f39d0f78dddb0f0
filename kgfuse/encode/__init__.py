"""Encoders of texts, pictures and graphs: arrays in, arrays out. Stands on ``terms`` and ``errors`` only."""
