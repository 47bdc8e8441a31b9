// A change on the server, after which what is shown of it is asked for anew.

import { useMutation, useQueryClient, type QueryKey, type UseMutationResult } from "@tanstack/react-query";

export type Changing<Input> = UseMutationResult<unknown, Error, Input>;

/** `stale` are the keys of queries that the change makes out of date. */
export function useChange<Input = void>(
  change: (input: Input) => Promise<unknown>,
  stale: readonly QueryKey[],
  onDone: () => void = () => {},
): Changing<Input> {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => {
      onDone();
      return Promise.all(stale.map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
  });
}
