"""The module-level API: `trackwire.start_run()`, `trackwire.log_metric()` and all the rest, through the spool."""
