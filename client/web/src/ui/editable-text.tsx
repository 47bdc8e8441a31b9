// A text for people: shown, and changed in its place.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import "./editable-text.css";
import { Icon } from "./icon";
import { Failure } from "./notice";

interface Props {
  /** What it is, such as "Description": the heading, and what buttons and the field are called by. */
  label: string;
  text: string;
  /** Stands there where the text is empty. */
  empty: string;
  onSave: (text: string) => Promise<unknown>;
}

export function EditableText({ label, text, empty, onSave }: Props): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    // The pencil is there again, and has the focus that the field had.
    if (wasOpen.current && !isOpen) pencil.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  return (
    <section className="editable-text" aria-label={label}>
      <div className="line-of">
        <h2>{label}</h2>
        {!isOpen && (
          <button
            ref={pencil}
            className="button plain small"
            aria-label={`Edit ${label.toLowerCase()}`}
            onClick={() => setOpen(true)}
          >
            <Icon name="pencil" />
          </button>
        )}
      </div>
      {isOpen ? (
        <Editor label={label} text={text} onSave={onSave} onClose={() => setOpen(false)} />
      ) : (
        <p className={text ? undefined : "soft"}>{text || empty}</p>
      )}
    </section>
  );
}

interface EditorProps extends Omit<Props, "empty"> {
  onClose: () => void;
}

function Editor({ label, text, onSave, onClose }: EditorProps): ReactNode {
  const [draft, setDraft] = useState(text);
  const save = useMutation({ mutationFn: () => onSave(draft), onSuccess: onClose });
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.focus(), []);
  return (
    <form
      className="editable-text"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <textarea
        ref={area}
        className="field"
        aria-label={label}
        rows={Math.min(14, Math.max(3, draft.split("\n").length + 1))}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onClose();
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save.mutate();
        }}
      />
      {save.error && <Failure error={save.error} />}
      <div className="line-of">
        <button className="button primary" disabled={save.isPending}>
          Save
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}
