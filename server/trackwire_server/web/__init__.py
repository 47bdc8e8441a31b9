"""HTTP in, core out: the server's HTTP port and what it tells of itself."""
