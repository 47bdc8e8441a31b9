// Which columns the table has.

import type { ReactNode } from "react";
import { Chooser } from "../ui/chooser";
import { Icon } from "../ui/icon";
import { Popover } from "../ui/popover";
import { allColumns, type RunKeys } from "./columns";

interface Props {
  keys: RunKeys;
  chosen: readonly string[];
  onChoose: (ids: readonly string[]) => void;
}

export function ColumnChooser({ keys, chosen, onChoose }: Props): ReactNode {
  return (
    <Popover
      label={
        <>
          <Icon name="columns" /> Columns
        </>
      }
    >
      {() => (
        <Chooser
          noun="a column"
          groups={allColumns(keys).map(({ title, columns }) => ({ title, choices: columns }))}
          chosen={chosen}
          onChoose={onChoose}
          hasWholes
        />
      )}
    </Popover>
  );
}
