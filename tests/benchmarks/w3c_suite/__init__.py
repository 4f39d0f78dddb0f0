"""The parts of the W3C runner, one module a kind of test."""
