// That the runs on the page are deleted ones, and the way back.

import type { ReactNode } from "react";
import { Icon } from "../ui/icon";

export function DeletedLine({ isEmpty, onLeave }: { isEmpty: boolean; onLeave: () => void }): ReactNode {
  return (
    <div className="deleted-line line-of wraps">
      <Icon name="trash" size={14} />
      <span>{isEmpty ? "No run is deleted." : "These runs are deleted."}</span>
      <button className="button small" onClick={onLeave}>
        Back to active runs
      </button>
    </div>
  );
}
