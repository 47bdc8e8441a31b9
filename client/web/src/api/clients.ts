// The server's services, by the protos.

import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { AdminService } from "./generated/trackwire/v1/admin_pb";
import { ArtifactService } from "./generated/trackwire/v1/artifacts_pb";
import { ExperimentService } from "./generated/trackwire/v1/experiments_pb";
import { LoggedModelService } from "./generated/trackwire/v1/logged_models_pb";
import { MetricService } from "./generated/trackwire/v1/metrics_pb";
import { ModelRegistryService } from "./generated/trackwire/v1/model_registry_pb";
import { RunService } from "./generated/trackwire/v1/runs_pb";
import { accessToken } from "./token";

const authorize: Interceptor = (next) => async (request) => {
  const token = accessToken();
  if (token) request.header.set("authorization", `Bearer ${token}`);
  return next(request);
};

export const transport: Transport = createConnectTransport({
  // Beside the page: a prefix that the server has is in its address already.
  baseUrl: new URL(".", window.location.href).href.replace(/\/$/, ""),
  useBinaryFormat: true,
  interceptors: [authorize],
});

export const experiments = createClient(ExperimentService, transport);
export const runs = createClient(RunService, transport);
export const metrics = createClient(MetricService, transport);
export const artifacts = createClient(ArtifactService, transport);
export const loggedModels = createClient(LoggedModelService, transport);
export const models = createClient(ModelRegistryService, transport);
export const admin = createClient(AdminService, transport);
