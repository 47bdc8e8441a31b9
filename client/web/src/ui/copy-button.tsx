// Copies a text, and says so for a moment.

import { useEffect, useState, type ReactNode } from "react";
import { Icon } from "./icon";

export function CopyButton({ text, label }: { text: string; label: string }): ReactNode {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!said) return undefined;
    const timer = window.setTimeout(() => setSaid(""), 1500);
    return () => window.clearTimeout(timer);
  }, [said]);
  return (
    <button
      className="button plain small copy-button"
      aria-label={label}
      title={said || label}
      onClick={() => {
        void copied(text).then((done) => setSaid(done ? "Copied" : "The browser refuses to copy"));
      }}
    >
      <Icon name={said ? "check" : "copy"} size={14} />
      <output className="unseen">{said}</output>
    </button>
  );
}

async function copied(text: string): Promise<boolean> {
  try {
    await window.navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text);
  }
}

/** Without TLS, browsers have no clipboard but that of a selection. */
function copiedByHand(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
