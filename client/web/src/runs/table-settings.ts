// What the table of runs is set to: its columns and its selection, in the address, and which runs are unfolded.

import { useCallback, useMemo, useState } from "react";
import { setQuery, useSetting } from "../router";
import { columnById, defaultColumns, type Column, type RunKeys } from "./columns";

const NO_COLUMNS: readonly Column[] = [];

export function useColumns(keys: RunKeys | undefined, orderBy: string) {
  const [chosen] = useSetting("cols");
  const [wide] = useSetting("widths");
  const [pins] = useSetting("pinned");
  const defaults = useMemo(() => (keys ? defaultColumns(keys, orderBy) : null), [keys, orderBy]);
  const ids = useMemo(() => (chosen ? chosen.split("~") : (defaults ?? [])), [chosen, defaults]);
  const pinnedIds = useMemo(() => new Set(pins.split("~").filter(Boolean)), [pins]);
  const columns = useMemo(() => {
    const all = ids.map(columnById).filter((column) => column !== undefined);
    const isPinned = ({ id }: Column): boolean => pinnedIds.has(id);
    return all.length > 0 ? [...all.filter(isPinned), ...all.filter((column) => !isPinned(column))] : NO_COLUMNS;
  }, [ids, pinnedIds]);
  const widths = useMemo(
    () =>
      new Map(
        wide
          .split("~")
          .filter(Boolean)
          .map((each): [string, number] => {
            const at = each.lastIndexOf(":");
            return [each.slice(0, at), Number(each.slice(at + 1)) || 100];
          }),
      ),
    [wide],
  );
  const setWidth = useCallback(
    (id: string, width: number) =>
      setQuery({ widths: [...new Map(widths).set(id, width)].map(([each, size]) => `${each}:${size}`).join("~") }),
    [widths],
  );
  const setPin = useCallback(
    (id: string) => {
      const next = new Set(pinnedIds);
      if (!next.delete(id)) next.add(id);
      setQuery({ pinned: [...next].join("~") || null });
    },
    [pinnedIds],
  );
  const setColumns = useCallback((next: readonly string[]) => setQuery({ cols: next.join("~") || "status" }), []);
  const pinned = columns.filter(({ id }) => pinnedIds.has(id)).length;
  return { columns, ids, widths, pinned, setColumns, setWidth, setPin };
}

export function useFolds(): { open: ReadonlySet<string>; onFold: (runId: string) => void } {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const onFold = useCallback((runId: string) => {
    setOpen((last) => {
      const next = new Set(last);
      if (!next.delete(runId)) next.add(runId);
      return next;
    });
  }, []);
  return { open, onFold };
}

export function useSelection() {
  const [text, setText] = useSetting("runs");
  const selected = useMemo<ReadonlySet<string>>(() => new Set(text.split("~").filter(Boolean)), [text]);
  const onSelect = useCallback(
    (runIds: readonly string[], isWanted: boolean) => {
      const next = new Set(selected);
      for (const runId of runIds) {
        if (isWanted) next.add(runId);
        else next.delete(runId);
      }
      setText([...next].join("~"));
    },
    [selected, setText],
  );
  return { selected, onSelect, clear: () => setText("") };
}
