"""What OpenTelemetry's own variables ask for.

Source: opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables
"""

from collections.abc import Mapping

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def traces_exporter(environment: Mapping[str, str]) -> str:
    """The exporter of traces, as its package names it; "" where there is to be none.

    Unlike in other programs there is none unless it or an endpoint is named: nobody sends to where nobody listens.
    """
    name = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or name == "none":
        return ""
    if name not in ("", "otlp"):
        return name
    if not name and not any(map(environment.get, _ENDPOINTS)):
        return ""
    protocol = next(filter(None, map(environment.get, _PROTOCOLS)), "http/protobuf")
    return "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
