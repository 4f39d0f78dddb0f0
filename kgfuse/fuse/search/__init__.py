"""Hyper-parameter search with a budget, by Optuna, on items that no trial has learned from."""
