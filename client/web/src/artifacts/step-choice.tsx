// One of the steps at which images were logged: by a slider, and one by one.

import type { ReactNode } from "react";
import { useSetting } from "../router";
import { Icon } from "../ui/icon";
import "./step-choice.css";

/** The step that the address names, or the last one at or before it; the last of all where it names none. */
export function useStep(steps: readonly number[]): { at: number; step: number; choose: (at: number) => void } {
  const [chosen, setChosen] = useSetting("step");
  const last = steps.length - 1;
  const before = steps.findLastIndex((step) => step <= Number(chosen));
  const at = Math.max(0, chosen === "" ? last : before);
  const choose = (next: number) => setChosen(String(steps[Math.min(Math.max(next, 0), last)]));
  return { at, step: steps[at] ?? 0, choose };
}

export function StepChoice({ steps }: { steps: readonly number[] }): ReactNode {
  const { at, step, choose } = useStep(steps);
  return (
    <>
      <label className="line-of step-choice">
        <span>Step</span>
        <input
          type="range"
          min={0}
          max={steps.length - 1}
          value={at}
          aria-valuetext={`Step ${step}`}
          onChange={(event) => choose(Number(event.target.value))}
        />
      </label>
      <button
        className="button plain small"
        aria-label="Step before"
        disabled={at === 0}
        onClick={() => choose(at - 1)}
      >
        <Icon name="left" />
      </button>
      <output className="number">{step.toLocaleString("en")}</output>
      <button
        className="button plain small"
        aria-label="Next step"
        disabled={at >= steps.length - 1}
        onClick={() => choose(at + 1)}
      >
        <Icon name="right" />
      </button>
    </>
  );
}
