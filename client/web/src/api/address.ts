// Where clients reach this server.

import { queryOptions, useQuery } from "@tanstack/react-query";
import { admin } from "./clients";
import type { GrpcEndpoint } from "./generated/trackwire/v1/admin_pb";

// What clients take where an address has no port: of a server that tells of none, being older than the page.
const GRPC_PORT = 5051;

const serverGrpc = queryOptions({
  queryKey: ["where gRPC is"],
  staleTime: Infinity,
  queryFn: async ({ signal }) => (await admin.getServerInfo({}, { signal })).grpc ?? null,
});

/** What `trackwire.set_tracking_uri` takes; undefined until the server has told. */
export function useTrackingUri(): string | undefined {
  const { data } = useQuery(serverGrpc);
  return data === undefined ? undefined : trackingUri(data);
}

/** As whoever runs the server says, or at its port of the host that the page is from. */
function trackingUri(grpc: GrpcEndpoint | null): string {
  if (grpc?.uri) return grpc.uri;
  const { hostname, protocol } = window.location;
  // A page that comes by TLS from a server that speaks none has a proxy before it, and so has gRPC.
  const isSecure = grpc?.tls || protocol === "https:";
  return `${isSecure ? "grpcs://" : ""}${hostname}:${grpc?.port || GRPC_PORT}`;
}

/** What `mlflow.set_tracking_uri` takes: where the page itself is. */
export function mlflowUri(): string {
  return new URL(".", window.location.href).href.replace(/\/$/, "");
}
