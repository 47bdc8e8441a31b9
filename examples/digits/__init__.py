"""Trains small networks on real data and logs everything into Trackwire: what scripts/quickstart runs."""
