// Changes of the registry, after which what is shown of it is asked for anew.

import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";

const KEYS = ["models", "model", "model-versions", "model-version"];

export function useRefresh(): () => Promise<unknown> {
  const queries = useQueryClient();
  return () => Promise.all(KEYS.map((key) => queries.invalidateQueries({ queryKey: [key] })));
}

export type Changing<Input> = UseMutationResult<unknown, Error, Input>;

export function useChange<Input = void>(
  change: (input: Input) => Promise<unknown>,
  onDone: () => void = () => {},
): Changing<Input> {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: change,
    onSuccess: () => {
      onDone();
      return refresh();
    },
  });
}
