// A button with a panel that opens below it, by the browser's own popover: Escape and a click beside it close it.

import { useId, useRef, useState, type ReactNode } from "react";
import "./popover.css";

interface Props {
  label: ReactNode;
  /** What the button is called, where its label is a drawing alone. */
  title?: string;
  className?: string;
  children: ReactNode | (() => ReactNode);
}

const MARGIN = 8;

export function Popover({ label, title, className = "button", children }: Props): ReactNode {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const settle = (): void => {
    const around = button.current?.getBoundingClientRect();
    if (!around || !panel.current) return;
    const left = Math.max(MARGIN, Math.min(around.left, window.innerWidth - panel.current.offsetWidth - MARGIN));
    panel.current.style.left = `${left}px`;
    panel.current.style.top = `${around.bottom + 4}px`;
    panel.current.style.maxHeight = `${window.innerHeight - around.bottom - 4 - MARGIN}px`;
  };
  return (
    <>
      <button
        ref={button}
        className={className}
        popoverTarget={id}
        aria-expanded={isOpen}
        aria-label={title}
        title={title}
      >
        {label}
      </button>
      <div
        ref={panel}
        id={id}
        popover="auto"
        className="popover"
        onToggle={(event) => {
          setOpen(event.newState === "open");
          if (event.newState === "open") requestAnimationFrame(settle);
        }}
      >
        {isOpen && (typeof children === "function" ? children() : children)}
      </div>
    </>
  );
}
