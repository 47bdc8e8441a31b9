// Names and their values in two narrow columns; long lists open when asked.

import { useState, type ReactNode } from "react";

export interface NamedValue {
  /** Unique in its table. */
  name: string;
  value: string;
}

interface Props {
  title: string;
  values: NamedValue[];
  /** Whether the values are text as it was given, or numbers and words. */
  isText?: boolean;
}

const FIRST_ROWS = 12;

export function Values({ title, values, isText = false }: Props): ReactNode {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? values : values.slice(0, FIRST_ROWS);
  if (values.length === 0) return <p className="soft">{title}: none.</p>;
  return (
    <div className="stacked">
      <table className="plain-table value-table">
        <caption>{title}</caption>
        <tbody>
          {shown.map(({ name, value }) => (
            <tr key={name}>
              <th scope="row" className="clipped" title={name}>
                {name}
              </th>
              <td className={isText ? "mono clipped" : "number clipped"} title={value}>
                {value}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {values.length > shown.length && (
        <p>
          <button className="button small" onClick={() => setWhole(true)}>
            Show all {values.length} {title.toLowerCase()}
          </button>
        </p>
      )}
    </div>
  );
}
