// What a dialog asks: fields or words, what went wrong, and its buttons.

import type { ReactNode } from "react";
import type { Changing } from "./change";
import { Failure } from "./notice";

interface Props {
  action: string;
  changing: Pick<Changing<void>, "mutate" | "error" | "isPending">;
  onClose: () => void;
  /** Whether there is enough to go on. */
  isReady?: boolean;
  isDangerous?: boolean;
  children: ReactNode;
}

export function AskForm(props: Props): ReactNode {
  const { action, changing, onClose, isReady = true, isDangerous = false, children } = props;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        changing.mutate();
      }}
    >
      {children}
      {changing.error && <Failure error={changing.error} />}
      <div className="actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button className={`button ${isDangerous ? "danger" : "primary"}`} disabled={!isReady || changing.isPending}>
          {action}
        </button>
      </div>
    </form>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

export function TextField({ label, value, onChange }: FieldProps): ReactNode {
  return (
    <label>
      {label}
      <input className="field" value={value} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}
