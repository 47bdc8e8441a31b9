// Tags of whatever has tags: read, set, changed and deleted.

import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Icon } from "./icon";
import { Failure } from "./notice";
import "./tag-editor.css";

interface Props {
  tags: Record<string, string>;
  onSet: (key: string, value: string) => Promise<unknown>;
  onDelete: (key: string) => Promise<unknown>;
  onChanged: () => unknown;
}

/** Shows its own changes at once; `tags` is how it begins. */
export function TagEditor({ tags, onSet, onDelete, onChanged }: Props): ReactNode {
  const [shown, setShown] = useState(tags);
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const set = useMutation({
    mutationFn: () => onSet(key.trim(), value),
    onSuccess: () => {
      setShown({ ...shown, [key.trim()]: value });
      setKey("");
      setValue("");
      onChanged();
    },
  });
  const remove = useMutation({
    mutationFn: (removed: string) => onDelete(removed),
    onSuccess: (_answer, removed) => {
      setShown(Object.fromEntries(Object.entries(shown).filter(([each]) => each !== removed)));
      onChanged();
    },
  });
  const failure = set.error ?? remove.error;
  const entries = Object.entries(shown).toSorted(([a], [b]) => a.localeCompare(b));
  return (
    <div className="tag-editor">
      {entries.length === 0 && <p className="soft">No tags yet.</p>}
      <dl>
        {entries.map(([each, text]) => (
          <div key={each}>
            <dt className="mono clipped" title={each}>
              {each}
            </dt>
            <dd className="clipped" title={text}>
              {text}
            </dd>
            <dd className="line-of">
              <button
                className="button plain small"
                aria-label={`Change tag ${each}`}
                onClick={() => {
                  setKey(each);
                  setValue(text);
                }}
              >
                <Icon name="pencil" />
              </button>
              <button
                className="button plain small"
                aria-label={`Delete tag ${each}`}
                onClick={() => remove.mutate(each)}
              >
                <Icon name="trash" />
              </button>
            </dd>
          </div>
        ))}
      </dl>
      {failure && <Failure error={failure} />}
      <form
        className="tag-form"
        onSubmit={(event) => {
          event.preventDefault();
          set.mutate();
        }}
      >
        <label>
          Key
          <input className="field" value={key} onChange={(event) => setKey(event.target.value)} />
        </label>
        <label>
          Value
          <input className="field" value={value} onChange={(event) => setValue(event.target.value)} />
        </label>
        <button className="button" disabled={!key.trim() || set.isPending}>
          Set
        </button>
      </form>
    </div>
  );
}
