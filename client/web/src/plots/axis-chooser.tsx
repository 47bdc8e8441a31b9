// Which dimensions are axes, and which of them are logarithmic.

import type { ReactNode } from "react";
import { Icon } from "../ui/icon";
import { Popover } from "../ui/popover";
import type { Dimension, DimensionName } from "./dimensions";
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
  const shown = new Map(axes.map((axis) => [axis.id, axis]));
  return (
    <Popover
      label={
        <>
          <Icon name="columns" /> Axes
        </>
      }
    >
      {() => (
        <ul className="axis-chooser">
          {all.map(({ id, title, kind }) => {
            const axis = shown.get(id);
            return (
              <li key={id} className="spread">
                <label className="line-of">
                  <input
                    type="checkbox"
                    checked={ids.includes(id)}
                    onChange={(event) =>
                      onChoose(event.target.checked ? [...ids, id] : ids.filter((each) => each !== id))
                    }
                  />
                  <span className="clipped">{title}</span> <span className="soft">{kind}</span>
                </label>
                {axis && <LogToggle dimension={axis} isLog={logs.has(id)} onToggle={() => onLog(id)} />}
              </li>
            );
          })}
        </ul>
      )}
    </Popover>
  );
}
