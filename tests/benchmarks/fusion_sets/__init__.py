"""The data sets of the fusion benchmark, each as arrays with its splits."""
