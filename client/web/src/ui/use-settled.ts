import { useEffect, useState } from "react";

/** A value as it was last for so long. */
export function useSettled<Value>(value: Value, ms: number): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const waiting = window.setTimeout(() => setSettled(value), ms);
    return () => window.clearTimeout(waiting);
  }, [value, ms]);
  return settled;
}
