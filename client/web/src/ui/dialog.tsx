// A window over the page, by the browser's own: it keeps the focus, and Escape closes it.

import { useLayoutEffect, useRef, type ReactNode } from "react";
import "./dialog.css";
import { Icon } from "./icon";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** As large as the window allows. */
  large?: boolean;
}

export function Dialog({ title, onClose, children, large = false }: Props): ReactNode {
  const place = useRef<HTMLDialogElement>(null);
  // The focus goes back to where it was only if the dialog is still there when it is closed.
  useLayoutEffect(() => {
    const dialog = place.current;
    dialog?.showModal();
    // Not the button that closes it, which comes first.
    dialog?.querySelector<HTMLElement>(".field")?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={place}
      className={large ? "dialog large" : "dialog"}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      // A click beside it closes it, too.
      {...{ closedby: "any" }}
    >
      <div className="dialog-body">
        <div className="spread">
          <h2 className="clipped">{title}</h2>
          <button className="button plain small" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
