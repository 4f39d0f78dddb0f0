"""Frozen dataclasses and namespaces that cross the layer boundaries. Stands on nothing."""
