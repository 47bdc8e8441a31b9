// What is asked of the server about registered models and their versions.

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { models } from "../api/clients";
import type { ModelVersion, RegisteredModel } from "../api/generated/trackwire/v1/model_registry_pb";
import { foundByName, nameFilter } from "../api/names";
import type { Owner } from "../artifacts/queries";

const PAGE_SIZE = 100;

/** Models whose name has what was typed, and which a filter in the server's own language finds. */
export function modelsFound(search: string, filter = "") {
  return infiniteQueryOptions({
    queryKey: ["models", search, filter],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      foundByName(search, pageParam, async (pageToken) => {
        const [whole] = filterOfModels(search, filter);
        const asked = { filter: whole, pageSize: PAGE_SIZE, pageToken };
        const page = await models.searchRegisteredModels(asked, { signal });
        return { items: page.registeredModels, nextPageToken: page.nextPageToken };
      }),
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
}

/** Both in one filter, and how many characters of it stand before the second. */
export function filterOfModels(search: string, filter: string): [string, number] {
  const byName = nameFilter(search);
  if (!filter || !byName) return [filter || byName, 0];
  const before = `${byName} AND (`;
  return [`${before}${filter})`, before.length];
}

export function modelByName(name: string) {
  return queryOptions({
    queryKey: ["model", name],
    queryFn: async ({ signal }): Promise<RegisteredModel> => {
      const { registeredModel } = await models.getRegisteredModel({ name }, { signal });
      if (!registeredModel) throw new Error("the server answered without a model");
      return registeredModel;
    },
  });
}

/** All versions of a model, the newest first. */
export function versionsOf(name: string) {
  return infiniteQueryOptions({
    queryKey: ["model-versions", name],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      models.searchModelVersions(
        {
          filter: `name = ${quoted(name)}`,
          orderBy: ["version_number DESC"],
          pageSize: PAGE_SIZE,
          pageToken: pageParam,
        },
        { signal },
      ),
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
}

/** Versions that come from a run or from a logged model, last changed first. */
export function versionsFrom(owner: Owner) {
  const { value } = owner;
  const filter = owner.case === "runId" ? `run_id = ${quoted(value)}` : `source_path = ${quoted(`models:/${value}`)}`;
  return queryOptions({
    queryKey: ["versions-of", owner],
    queryFn: async ({ signal }): Promise<ModelVersion[]> =>
      (await models.searchModelVersions({ filter, pageSize: PAGE_SIZE }, { signal })).modelVersions,
  });
}

/** The model of just this name; null where there is none. */
export function modelNamed(name: string) {
  return queryOptions({
    queryKey: ["models", "named", name],
    enabled: name !== "",
    queryFn: async ({ signal }): Promise<RegisteredModel | null> => {
      const found = await models.searchRegisteredModels({ filter: `name = ${quoted(name)}`, pageSize: 1 }, { signal });
      return found.registeredModels[0] ?? null;
    },
  });
}

/** A version by what an address says of it: its number, an alias, or "latest". */
export function versionAt(name: string, selector: string) {
  const isNumber = /^\d{1,10}$/.test(selector);
  return queryOptions({
    queryKey: ["model-version", name, selector],
    queryFn: async ({ signal }): Promise<ModelVersion> => {
      const { modelVersion } = await models.getModelVersion(
        {
          name,
          selector: isNumber ? { case: "version", value: BigInt(selector) } : { case: "alias", value: selector },
        },
        { signal },
      );
      if (!modelVersion) throw new Error("the server answered without a version");
      return modelVersion;
    },
  });
}

/** The run that a version comes from. */
/** Text as it stands in a filter. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
