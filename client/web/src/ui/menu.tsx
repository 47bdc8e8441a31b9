// A button that opens a list of actions. The list is the browser's own popover: Escape and a click beside it close it.

import { useId, useRef, type KeyboardEvent, type ReactNode } from "react";
import { Icon, type IconName } from "./icon";
import "./menu.css";

export interface MenuItem {
  label: string;
  onSelect: () => void;
  icon?: IconName;
  /** Takes something away. */
  isDangerous?: boolean;
  isDisabled?: boolean;
}

interface Props {
  /** What the button is called. */
  label: string;
  items: MenuItem[];
  /** What the button shows; three dots where it is missing. */
  children?: ReactNode;
  isSmall?: boolean;
}

const GAP = 4;

export function Menu({ label, items, children, isSmall = false }: Props): ReactNode {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const isBare = children === undefined;
  return (
    <>
      <button
        ref={button}
        type="button"
        className={`button${isBare ? " plain" : ""}${isSmall ? " small" : ""}`}
        aria-label={isBare ? label : undefined}
        title={isBare ? label : undefined}
        aria-haspopup="menu"
        popoverTarget={id}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          if (!list.current?.matches(":popover-open")) list.current?.showPopover();
        }}
      >
        {children ?? <Icon name="more" />}
      </button>
      <div
        ref={list}
        id={id}
        className="menu"
        role="menu"
        aria-label={label}
        popover="auto"
        tabIndex={-1}
        onKeyDown={(event) => moveFocus(event, list.current)}
        onToggle={(event) => {
          if (event.newState !== "open" || !button.current || !list.current) return;
          putBeside(button.current, list.current);
          itemsOf(list.current)[0]?.focus({ preventScroll: true });
        }}
      >
        {items.map((item) => (
          <button
            key={item.label}
            type="button"
            role="menuitem"
            tabIndex={-1}
            className={`button plain small${item.isDangerous ? " danger" : ""}`}
            disabled={item.isDisabled}
            onClick={() => {
              list.current?.hidePopover();
              item.onSelect();
            }}
          >
            {item.icon && <Icon name={item.icon} />}
            {item.label}
          </button>
        ))}
      </div>
    </>
  );
}

function itemsOf(list: HTMLElement): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)")];
}

function moveFocus(event: KeyboardEvent, list: HTMLElement | null): void {
  if (!list) return;
  const items = itemsOf(list);
  const at = items.findIndex((item) => item === document.activeElement);
  const targets: Record<string, number> = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at <= 0 ? items.length : at) - 1,
    Home: 0,
    End: items.length - 1,
  };
  const target = targets[event.key];
  if (event.key === "Tab") list.hidePopover();
  if (target === undefined) return;
  event.preventDefault();
  items[target]?.focus();
}

/** Below the button, or above it where there is no room; never past the window's edge. */
function putBeside(button: HTMLElement, list: HTMLElement): void {
  const { left, top, bottom } = button.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const below = bottom + GAP;
  const fitsBelow = below + height <= window.innerHeight;
  list.style.top = `${fitsBelow ? below : Math.max(GAP, top - GAP - height)}px`;
  list.style.left = `${Math.max(GAP, Math.min(left, window.innerWidth - width - 2 * GAP))}px`;
}
