"""Metrics in SQL: a journal row per request, a summary row per series, chunks behind them."""
