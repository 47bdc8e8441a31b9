"""Generated from protos/ by scripts/generate_protos; edit the .proto files instead."""
