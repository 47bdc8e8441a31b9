// What there is to choose from, by groups: found by name, as there may be thousands.

import { useId, useState, type ReactNode } from "react";
import "./chooser.css";

export interface Choice {
  readonly id: string;
  readonly title: string;
}

export interface ChoiceGroup {
  readonly title: string;
  readonly choices: readonly Choice[];
}

interface Props {
  /** What one is called: `a column`. */
  noun: string;
  groups: readonly ChoiceGroup[];
  chosen: readonly string[];
  onChoose: (ids: readonly string[]) => void;
  /** Whether groups are chosen as a whole, too. */
  hasWholes?: boolean;
  /** Whether one is chosen, and no more. */
  isOne?: boolean;
  /** Whether one has to be left. */
  isNeeded?: boolean;
  /** What stands behind one that is chosen. */
  renderMore?: (id: string) => ReactNode;
}

const SHOWN_MAX = 200;

export function Chooser(props: Props): ReactNode {
  const [search, setSearch] = useState("");
  const name = useId();
  const words = search.trim().toLowerCase();
  const groups = props.groups
    .map(({ title, choices }) => ({
      title,
      choices: choices.filter((each) => each.title.toLowerCase().includes(words)),
    }))
    .filter(({ choices }) => choices.length > 0);
  return (
    <div className="chooser">
      <input
        className="field"
        type="search"
        placeholder={`Find ${props.noun}`}
        aria-label={`Find ${props.noun}`}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {groups.map((group) => (
        <Group key={group.title} {...props} name={name} group={group} />
      ))}
      {groups.length === 0 && <p className="soft">None has this in its name.</p>}
    </div>
  );
}

function Group({
  group,
  chosen,
  onChoose,
  hasWholes,
  isOne,
  isNeeded,
  renderMore,
  name,
}: Props & { name: string; group: ChoiceGroup }): ReactNode {
  const { title, choices } = group;
  const isChosen = new Set(chosen);
  const all = choices.every(({ id }) => isChosen.has(id));
  // Those that are chosen can be taken away, wherever they stand.
  const shown = choices.filter(({ id }, at) => at < SHOWN_MAX || isChosen.has(id));
  const toggle = (ids: readonly string[], wanted: boolean): void => {
    const gone = new Set(ids);
    const rest = chosen.filter((id) => !gone.has(id));
    onChoose(wanted ? [...rest, ...ids] : rest);
  };
  const head = (
    <>
      {title} <span className="soft">{choices.length.toLocaleString("en")}</span>
    </>
  );
  return (
    <fieldset aria-label={title}>
      <legend>
        {hasWholes ? (
          <label>
            <input
              type="checkbox"
              checked={all}
              onChange={() =>
                toggle(
                  choices.map(({ id }) => id),
                  !all,
                )
              }
            />{" "}
            {head}
          </label>
        ) : (
          head
        )}
      </legend>
      {shown.map((choice) => (
        <div key={choice.id} className="spread">
          <label title={choice.title}>
            <input
              type={isOne ? "radio" : "checkbox"}
              name={name}
              checked={isChosen.has(choice.id)}
              disabled={isNeeded && chosen.length === 1 && isChosen.has(choice.id)}
              onChange={(event) => (isOne ? onChoose([choice.id]) : toggle([choice.id], event.target.checked))}
            />
            <span className="clipped">{choice.title}</span>
          </label>
          {isChosen.has(choice.id) && renderMore?.(choice.id)}
        </div>
      ))}
      {choices.length > shown.length && (
        <p className="soft">{(choices.length - shown.length).toLocaleString("en")} more: find them by name.</p>
      )}
    </fieldset>
  );
}
