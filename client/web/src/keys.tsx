// Which keys do what, told where `?` is pressed.

import { useEffect, useState, type ReactNode } from "react";
import { Dialog } from "./ui/dialog";
import { Icon } from "./ui/icon";
import "./keys.css";
import { isTyping } from "./ui/typing";

const KEYS: readonly [where: string, keys: readonly [string, string][]][] = [
  [
    "Everywhere",
    [
      ["/", "Go to the filter, or to the field that searches"],
      ["?", "Show these shortcuts"],
      ["Esc", "Close what is open"],
    ],
  ],
  [
    "Table of runs",
    [
      ["↓ ↑ j k", "Next run, run before"],
      ["PgDn PgUp", "Further down and up"],
      ["Home End", "First run, last run"],
      ["Space", "Select the run"],
      ["Enter", "Open it"],
      ["→ ←", "Unfold and fold the runs that are part of it"],
    ],
  ],
  [
    "Charts",
    [
      ["→ ← ↑ ↓", "Move what points at lines"],
      ["+ −", "Zoom in and out"],
      ["Shift+→ Shift+←", "Move the stretch that is shown"],
      ["0", "Show all"],
    ],
  ],
  [
    "Scatter and parallel coordinates",
    [
      ["→ ← ↑ ↓", "From run to run"],
      ["Enter", "Open the run"],
      ["Esc", "Point at none"],
    ],
  ],
];

export function KeysButton(): ReactNode {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === "?") setOpen(true);
      else if (event.key === "/") focusSearch();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <button
        className="button plain keys-button"
        aria-label="Shortcuts"
        title="Shortcuts (?)"
        onClick={() => setOpen(true)}
      >
        <Icon name="keys" />
      </button>
      {isOpen && (
        <Dialog title="Shortcuts" onClose={() => setOpen(false)}>
          {KEYS.map(([where, keys]) => (
            <section key={where} aria-label={where}>
              <h3>{where}</h3>
              <dl className="keys">
                {keys.map(([key, what]) => (
                  <div key={key}>
                    <dt>
                      {key.split(" ").map((each) => (
                        <kbd key={each}>{each}</kbd>
                      ))}
                    </dt>
                    <dd>{what}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </Dialog>
      )}
    </>
  );
}

/** The first field of the page that filters or searches. */
function focusSearch(): void {
  document.querySelector<HTMLElement>("main :is(input[type='search'], input[role='combobox'])")?.focus();
}
