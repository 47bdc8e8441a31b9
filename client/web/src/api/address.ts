// Where clients reach this server, as far as the page can know.

// The server's own default: the page hears nothing of gRPC.
const GRPC_PORT = 5051;

/** What `trackwire.set_tracking_uri` takes, with the port that the server has if nobody chose another. */
export function trackingUri(): string {
  const { hostname, protocol } = window.location;
  return `${protocol === "https:" ? "grpcs://" : ""}${hostname}:${GRPC_PORT}`;
}

/** What `mlflow.set_tracking_uri` takes: where the page itself is. */
export function mlflowUri(): string {
  return new URL(".", window.location.href).href.replace(/\/$/, "");
}
