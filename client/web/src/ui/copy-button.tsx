// Copies a text, and says that it did.

import { useState, type ReactNode } from "react";
import { Icon } from "./icon";

type State = "ready" | "copied" | "failed";

const WORDS: Record<State, string> = { ready: "", copied: "Copied", failed: "The browser did not allow it" };
const ICONS = { ready: "copy", copied: "check", failed: "close" } as const;

/** `label` says what is copied, as in "Copy run id". With `words` it stands on the button. */
export function CopyButton({
  text,
  label,
  words = false,
}: {
  text: string;
  label: string;
  words?: boolean;
}): ReactNode {
  const [state, setState] = useState<State>("ready");
  return (
    <button
      type="button"
      className="button plain small copy-button"
      aria-label={words ? undefined : label}
      title={WORDS[state] || label}
      onClick={() => void copy(text).then((done) => setState(done ? "copied" : "failed"))}
      onBlur={() => setState("ready")}
      onPointerLeave={() => setState("ready")}
    >
      <Icon name={ICONS[state]} />
      {words && (WORDS[state] || label)}
      <output className="unseen">{WORDS[state]}</output>
    </button>
  );
}

async function copy(text: string): Promise<boolean> {
  // Pages that came by plain HTTP from another machine have no clipboard.
  if (!window.isSecureContext) return copyBySelection(text);
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** The old way, which browsers go on to allow. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const place = document.createElement("textarea");
  place.value = text;
  place.className = "unseen";
  // What lies outside of an open dialog can't be selected.
  (focused?.closest("dialog") ?? document.body).append(place);
  place.select();
  const done = document.execCommand("copy");
  place.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}
