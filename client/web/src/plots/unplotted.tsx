import type { ReactNode } from "react";
import { Empty } from "../ui/notice";
import type { DimensionName } from "./dimensions";

/** Why there is nothing to plot by, of what was to be. */
export function Unplotted({ names, ids }: { names: readonly DimensionName[]; ids: readonly string[] }): ReactNode {
  if (names.length === 0) return <Empty title="These runs have neither params nor metrics" />;
  const gone = ids.filter((id) => !names.some((name) => name.id === id)).map((id) => id.replace(":", " "));
  return <Empty title={`No run has the ${gone.join(" or the ")}: choose another`} />;
}
