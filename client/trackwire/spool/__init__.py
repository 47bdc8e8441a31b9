"""What a training process leaves behind for the shipper: records in segment files, a folder a stream. Knows no gRPC."""
