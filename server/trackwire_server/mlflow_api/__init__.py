"""MLflow's REST API as a door onto core: HTTP in, core out, a file a noun and no rule of its own."""
