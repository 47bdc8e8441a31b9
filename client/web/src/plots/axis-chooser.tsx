// Which dimensions are axes, and which of them are logarithmic.

import type { ReactNode } from "react";
import { Chooser } from "../ui/chooser";
import { Icon } from "../ui/icon";
import { Popover } from "../ui/popover";
import { KINDS, type Dimension, type DimensionName } from "./dimensions";
import { LogToggle } from "./log-toggle";

interface Props {
  all: readonly DimensionName[];
  axes: readonly Dimension[];
  ids: readonly string[];
  onChoose: (ids: readonly string[]) => void;
  logs: ReadonlySet<string>;
  onLog: (id: string) => void;
}

export function AxisChooser({ all, axes, ids, onChoose, logs, onLog }: Props): ReactNode {
  const renderLog = (id: string): ReactNode => {
    const axis = axes.find((each) => each.id === id);
    return axis && <LogToggle dimension={axis} isLog={logs.has(id)} onToggle={() => onLog(id)} />;
  };
  return (
    <Popover
      label={
        <>
          <Icon name="columns" /> Axes
        </>
      }
    >
      {() => (
        <Chooser
          noun="an axis"
          groups={KINDS.map(([kind, title]) => ({ title, choices: all.filter((each) => each.kind === kind) }))}
          chosen={ids}
          onChoose={onChoose}
          isNeeded
          renderMore={renderLog}
        />
      )}
    </Popover>
  );
}
