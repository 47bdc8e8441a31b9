import type { ReactNode } from "react";
import { Chooser, type ChoiceGroup } from "../ui/chooser";
import { Popover } from "../ui/popover";
import { KINDS, namedBy, type DimensionName } from "./dimensions";

interface Props {
  label: string;
  all: readonly DimensionName[];
  chosen: string;
  onChoose: (id: string) => void;
  /** What else there is to choose, first. */
  none?: readonly [id: string, words: string];
}

// With more, browsers take long to open one.
const OPTIONS_MAX = 200;

/** One of what runs are plotted by; where they are many it is found by name. */
export function DimensionSelect({ label, all, chosen, onChoose, none }: Props): ReactNode {
  const groups = KINDS.map(([kind, title]) => ({ title, choices: all.filter((each) => each.kind === kind) }));
  if (all.length > OPTIONS_MAX) return <Found {...{ label, groups, chosen, onChoose, none }} />;
  const isThere = chosen === none?.[0] || all.some(({ id }) => id === chosen);
  return (
    <label className="line-of">
      {label}
      <select className="field" value={chosen} onChange={(event) => onChoose(event.target.value)}>
        {!isThere && <option value={chosen}>{namedBy(chosen)?.title ?? chosen}</option>}
        {none && <option value={none[0]}>{none[1]}</option>}
        {groups.map(({ title, choices }) => (
          <optgroup key={title} label={title}>
            {choices.map((choice) => (
              <option key={choice.id} value={choice.id}>
                {choice.title}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

interface FoundProps extends Pick<Props, "label" | "chosen" | "onChoose"> {
  groups: readonly ChoiceGroup[];
  none: Props["none"];
}

function Found({ label, groups, chosen, onChoose, none }: FoundProps): ReactNode {
  const title = chosen === none?.[0] ? none[1] : (namedBy(chosen)?.title ?? chosen);
  const others = none ? [{ title: "All", choices: [{ id: none[0], title: none[1] }] }] : [];
  return (
    <span className="line-of">
      {label}
      <Popover label={<span className="clipped">{title}</span>} title={`${label}: ${title}`}>
        {() => (
          <Chooser
            noun="a key"
            groups={[...others, ...groups]}
            chosen={[chosen]}
            onChoose={([id]) => id !== undefined && onChoose(id)}
            isOne
          />
        )}
      </Popover>
    </span>
  );
}
