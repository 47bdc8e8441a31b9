// A client in Node without generated code: creates a run, logs points, and reads them back as columns.
//
//   node client.mjs HOST:PORT FOLDER_OF_PROTOS FOLDER_WITH_NODE_MODULES
//
// With TRACKWIRE_CA_CERT it speaks TLS, with TRACKWIRE_CLIENT_CERT and TRACKWIRE_CLIENT_KEY it shows who it is, and with
// TRACKWIRE_TOKEN each call brings that token.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [address, protos, modules] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const files = ["trackwire/v1/runs.proto", "trackwire/v1/metrics.proto"];
const loaded = loader.loadSync(files, { includeDirs: [protos], keepCase: true, longs: String, enums: String });
const { RunService, MetricService } = grpc.loadPackageDefinition(loaded).trackwire.v1;

const fileOf = (variable) => (process.env[variable] ? readFileSync(process.env[variable]) : null);

function credentialsOfEnvironment() {
  const authority = fileOf("TRACKWIRE_CA_CERT");
  if (!authority) return grpc.credentials.createInsecure();
  const ssl = grpc.credentials.createSsl(authority, fileOf("TRACKWIRE_CLIENT_KEY"), fileOf("TRACKWIRE_CLIENT_CERT"));
  const token = process.env.TRACKWIRE_TOKEN;
  if (!token) return ssl;
  const perCall = grpc.credentials.createFromMetadataGenerator((_call, done) => {
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    done(null, metadata);
  });
  return grpc.credentials.combineChannelCredentials(ssl, perCall);
}

const credentials = credentialsOfEnvironment();
const runs = new RunService(address, credentials);
const metrics = new MetricService(address, credentials);

const call = (client, method, request) =>
  new Promise((resolve, reject) =>
    client[method](request, { deadline: Date.now() + 30_000 }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    ),
  );

async function readAll(request) {
  const points = [];
  for await (const part of metrics.ReadMetrics(request)) {
    let at = 0;
    for (const [index, series] of (part.series ?? []).entries()) {
      for (const end = at + part.counts[index]; at < end; at++) {
        points.push({ key: series.key, step: part.steps[at], time_ms: part.times_ms[at], value: part.values[at] });
      }
    }
  }
  return points;
}

const { run } = await call(runs, "CreateRun", {
  experiment_name: "node",
  create_experiment: true,
  params: { learning_rate: "0.1" },
});
assert.equal(run.status, "RUN_STATUS_RUNNING");

// Exactly once: the same request again is acknowledged and not stored again.
const request = {
  run_id: run.run_id,
  writer: { writer_id: "node", sequence: 1 },
  keys: ["loss", "accuracy"],
  counts: [2, 1],
  steps: ["-9223372036854775808", "9223372036854775807", 7],
  times_ms: [1000, 2000, 2000],
  values: [0.5, NaN, -Infinity],
};
assert.equal((await call(metrics, "IngestMetrics", request)).stored_points, "3");
const again = await call(metrics, "IngestMetrics", request);
assert.equal(again.acknowledged_sequence, "1");
assert.equal(again.stored_points ?? "0", "0");

await call(metrics, "LogMetrics", { run_id: run.run_id, points: [{ key: "readable", value: 0.25, step: 3, time_ms: 5 }] });

assert.deepEqual(await readAll({ run_ids: [run.run_id] }), [
  { key: "loss", step: "-9223372036854775808", time_ms: "1000", value: 0.5 },
  { key: "loss", step: "9223372036854775807", time_ms: "2000", value: NaN },
  { key: "accuracy", step: "7", time_ms: "2000", value: -Infinity },
  { key: "readable", step: "3", time_ms: "5", value: 0.25 },
]);

await assert.rejects(call(metrics, "LogMetrics", { run_id: run.run_id, points: [] }), { code: grpc.status.INVALID_ARGUMENT });

await call(runs, "UpdateRun", { run_id: run.run_id, status: "RUN_STATUS_FINISHED" });
const found = await call(runs, "SearchRuns", {
  experiment_ids: [run.experiment_id],
  filter: "metrics.readable = 0.25 AND status = 'finished'",
});
assert.deepEqual(found.runs.map((each) => each.run_id), [run.run_id]);
assert.deepEqual(found.runs[0].params, { learning_rate: "0.1" });

console.log(`${run.run_id}: logged and read back`);
runs.close();
metrics.close();
