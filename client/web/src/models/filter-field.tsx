// A filter in the server's own language, applied by Enter, with what is wrong under the place where it stands.

import { useId, useState, type ReactNode } from "react";
import { columnOf, reasonOf } from "../api/errors";

interface Props {
  filter: string;
  /** How many characters of what the server read stand before the filter. */
  offset: number;
  error: Error | null;
  onApply: (filter: string) => void;
}

export function FilterField({ filter, offset, error, onApply }: Props): ReactNode {
  // A draft is of the filter that stood there: by the Back button or a link there may be another one.
  const [draft, setDraft] = useState({ of: filter, text: filter });
  const text = draft.of === filter ? draft.text : filter;
  const id = useId();
  const column = error ? columnOf(error) : undefined;
  return (
    <form
      className="filter-field"
      onSubmit={(event) => {
        event.preventDefault();
        onApply(text.trim());
      }}
    >
      <input
        className="field mono"
        type="search"
        aria-label="Filter models"
        aria-invalid={error !== null}
        aria-describedby={error ? id : undefined}
        placeholder="Filter: tags.team = 'vision'"
        value={text}
        onChange={(event) => {
          setDraft({ of: filter, text: event.target.value });
          if (!event.target.value) onApply("");
        }}
      />
      {error && (
        <div id={id} className="model-filter-error" role="alert">
          {column !== undefined && (
            <pre aria-hidden="true">
              {filter}
              {"\n"}
              {" ".repeat(Math.max(0, column - offset))}^
            </pre>
          )}
          {reasonOf(error)}
        </div>
      )}
    </form>
  );
}
