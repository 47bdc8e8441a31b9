// A search for runs, and how the server is asked for it.

import { ViewType } from "../api/generated/trackwire/v1/experiments_pb";
import type { Column, KeyKind } from "./columns";

export interface Search {
  readonly experimentId: string;
  readonly filter: string;
  readonly orderBy: string;
  readonly deleted: boolean;
}

/** Which runs, and in which order. */
export function askedFor({ experimentId, filter, orderBy, deleted }: Search) {
  return {
    experimentIds: [experimentId],
    filter,
    orderBy: orderBy ? [orderBy] : [],
    viewType: deleted ? ViewType.DELETED_ONLY : ViewType.ACTIVE_ONLY,
  };
}

/** Of these runs what stands in columns. */
export function wantedOf(search: Search, columns: readonly Column[]) {
  const keys = (of: KeyKind) => [...new Set(columns.filter((column) => column.of === of).map(({ key }) => key))];
  return {
    ...askedFor(search),
    metrics: { keys: keys("metrics") },
    params: { keys: keys("params") },
    tags: { keys: keys("tags") },
  };
}

export type Wanted = ReturnType<typeof wantedOf>;
