"""The reading half of the module-level API: `trackwire.search_runs()`, `trackwire.get_run()` and the rest, by a server.

Names, arguments and what comes back are MLflow's; a module for each noun, and `entities` for what they give.
"""
