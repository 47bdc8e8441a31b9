// What a page in a browser does, by the client that pages use: creates a run, logs a point, reads and tails it.
//
//   node connect.mjs URL DESCRIPTORS FOLDER_WITH_NODE_MODULES binary|json
//
// DESCRIPTORS is a file that `buf build` makes. With TRACKWIRE_TOKEN each call brings that token.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [url, descriptors, modules, format] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const { createClient, Code, ConnectError } = require("@connectrpc/connect");
const { createConnectTransport } = require("@connectrpc/connect-web");
const { createFileRegistry, fromBinary } = require("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = require("@bufbuild/protobuf/wkt");

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const withToken = (next) => (request) => {
  if (process.env.TRACKWIRE_TOKEN) request.header.set("authorization", `Bearer ${process.env.TRACKWIRE_TOKEN}`);
  return next(request);
};
const transport = createConnectTransport({ baseUrl: url, useBinaryFormat: format === "binary", interceptors: [withToken] });
const clientOf = (name) => createClient(registry.getService(`trackwire.v1.${name}`), transport);
const [runs, metrics] = [clientOf("RunService"), clientOf("MetricService")];
const refusal = async (call) => ConnectError.from(await call.then(() => assert.fail("was let in"), (error) => error));

const { run } = await runs.createRun({ experimentId: "0" });
const { runId } = run;
const reading = new AbortController();
const tail = metrics.tailMetrics({ runIds: [runId] }, { signal: reading.signal })[Symbol.asyncIterator]();
assert((await tail.next()).value.resumeToken);
const points = [{ key: "loss", value: 0.5, step: 2n ** 62n }, { key: "loss", value: NaN, step: 2n ** 62n + 1n }];
assert.equal((await metrics.logMetrics({ runId, points })).storedPoints, 2n);
assert.deepEqual([...(await tail.next()).value.steps], [2n ** 62n, 2n ** 62n + 1n]);
reading.abort();
await assert.rejects(tail.next());

const values = [];
for await (const part of metrics.readMetrics({ runIds: [runId] })) values.push(...part.values);
assert.deepEqual(values, [0.5, NaN]);

const missing = await refusal(runs.getRun({ runId: "nobody" }));
assert.deepEqual([missing.code, missing.rawMessage], [Code.NotFound, "run 'nobody' does not exist"]);
assert.equal(missing.details[0].type, "google.rpc.ErrorInfo");
const wholeTail = async () => {
  for await (const _ of metrics.tailMetrics({ runIds: [runId] }, { timeoutMs: 300 }));
};
const late = await refusal(wholeTail());
assert.equal(late.code, Code.DeadlineExceeded);
console.log("logged, tailed and read back");
