// Changes of the registry, after which what is shown of it is asked for anew.

import { useQueryClient } from "@tanstack/react-query";
import { useChange as useChangeOf, type Changing } from "../ui/change";

const STALE = [["models"], ["model"], ["model-versions"], ["model-version"], ["versions-of"]];

export function useRefresh(): () => Promise<unknown> {
  const queries = useQueryClient();
  return () => Promise.all(STALE.map((queryKey) => queries.invalidateQueries({ queryKey })));
}

export function useChange<Input = void>(
  change: (input: Input) => Promise<unknown>,
  onDone?: () => void,
): Changing<Input> {
  return useChangeOf(change, STALE, onDone);
}
