"""Asks the server of a data directory whether it serves: what a container's health check runs."""

import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from trackwire_server.data_dir import announced_address

TIMEOUT_SECONDS = 3


def check(data_dir: Path) -> int:
    """0 if the server serves, 1 if not; says which on stdout or stderr."""
    address = announced_address(data_dir)
    if address is None:
        sys.stderr.write(f"no server has announced itself in the data directory {data_dir}; --data-dir names another\n")
        return 1
    try:
        with grpc.insecure_channel(address) as channel:
            request = health_pb2.HealthCheckRequest()
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_SECONDS)
    except grpc.RpcError as error:
        sys.stderr.write(f"{address}: {error.code().name}: {error.details()}\n")
        return 1
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    sys.stdout.write(f"{address}: {status}\n")
    return 0 if answer.status == health_pb2.HealthCheckResponse.SERVING else 1
