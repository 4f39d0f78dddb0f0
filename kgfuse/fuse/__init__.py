"""Text, picture and graph read together: arrays in, calibrated predictions out.

The package takes arrays (:mod:`kgfuse.fuse.data`) and knows neither the store nor how the features were made.
"""
