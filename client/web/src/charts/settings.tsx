// How all charts of a page are drawn, kept in its address.

import { useCallback, useMemo, type ReactNode } from "react";
import { setQuery, usePlace, useSetting } from "../router";
import { Icon } from "../ui/icon";
import { Popover } from "../ui/popover";
import type { ChartSettings, Range, XAxis } from "./drawing";
import "./settings.css";

const AXES: [XAxis, string][] = [
  ["step", "Step"],
  ["relative", "Time since start"],
  ["time", "Date and time"],
];

export function useChartSettings(): ChartSettings {
  const { query } = usePlace();
  const words = ["x", "smooth", "logx", "logy", "clip", "ranks"].map((name) => query.get(name) ?? "").join(" ");
  return useMemo(() => {
    const [x = "", smooth = "", logX, logY, clip, ranks] = words.split(" ");
    const smoothing = Number(smooth);
    return {
      x: AXES.find(([axis]) => axis === x)?.[0] ?? "step",
      smoothing: smoothing > 0 && smoothing < 1 ? smoothing : 0,
      logX: logX === "1",
      logY: logY === "1",
      clip: clip === "1",
      ranks: ranks === "band" ? "band" : "lines",
    };
  }, [words]);
}

/** The stretch of x that all charts of a page show; null for all there is. */
export function useZoom(): [Range | null, (zoom: Range | null) => void] {
  const [text, setText] = useSetting("zoom");
  const zoom = useMemo((): Range | null => {
    const [from = NaN, to = NaN] = text.split("~").map(Number);
    return from < to ? [from, to] : null;
  }, [text]);
  const setZoom = useCallback((next: Range | null) => setText(next ? next.map(String).join("~") : ""), [setText]);
  return [zoom, setZoom];
}

export function ChartSettingsMenu({ settings }: { settings: ChartSettings }): ReactNode {
  return (
    <Popover
      label={
        <>
          <Icon name="settings" /> Charts
        </>
      }
    >
      <div className="chart-settings">
        <label>
          Along
          <select
            className="field"
            value={settings.x}
            // What is zoomed to means something else along another axis.
            onChange={({ target }) => setQuery({ x: target.value === "step" ? null : target.value, zoom: null })}
          >
            {AXES.map(([axis, words]) => (
              <option key={axis} value={axis}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span className="spread">
            Smoothing <span className="number soft">{settings.smoothing || "none"}</span>
          </span>
          <input
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={settings.smoothing}
            onChange={(event) => setQuery({ smooth: event.target.value === "0" ? null : event.target.value })}
          />
        </label>
        <Flag name="logy" label="Logarithmic values" isOn={settings.logY} />
        <Flag name="logx" label="Logarithmic steps" isOn={settings.logX} />
        <Flag name="clip" label="Leave out outliers" isOn={settings.clip} />
        <Flag name="ranks" label="Ranks as one band" isOn={settings.ranks === "band"} on="band" />
      </div>
    </Popover>
  );
}

function Flag(props: { name: string; label: string; isOn: boolean; on?: string }): ReactNode {
  const { name, label, isOn, on = "1" } = props;
  return (
    <label>
      <input type="checkbox" checked={isOn} onChange={() => setQuery({ [name]: isOn ? null : on })} /> {label}
    </label>
  );
}
