// Where a model and its versions stand, and what they are called in code.

import type { ModelVersion, RegisteredModel } from "../api/generated/trackwire/v1/model_registry_pb";
import { addressOf } from "../router";

export function modelAddress(name: string): string {
  return addressOf(`/models/${encodeURIComponent(name)}`);
}

export function versionAddress(name: string, version: bigint | string): string {
  return addressOf(`/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(String(version))}`);
}

export const CHAMPION = "champion";

/** The alias that a version is best known by; undefined where it has none. */
export function leadingAlias({ aliases }: Pick<ModelVersion, "aliases">): string | undefined {
  return aliases.includes(CHAMPION) ? CHAMPION : aliases[0];
}

/** The version that an alias stands for; undefined where it stands for none. */
export function holderOf({ aliases }: Pick<RegisteredModel, "aliases">, alias: string): bigint | undefined {
  // An alias may be called as what every object has.
  return Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
}

/** What clients load a version by: an alias, which stays right when another version gets it, or its number. */
export function uriOf(version: Pick<ModelVersion, "name" | "version" | "aliases">): string {
  const alias = leadingAlias(version);
  return alias ? `models:/${version.name}@${alias}` : `models:/${version.name}/${version.version}`;
}
