import type { ReactNode } from "react";
import { Icon } from "./icon";
import { chooseTheme, useTheme, type Theme } from "./theme";

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const ICONS = { system: "half", light: "sun", dark: "moon" } as const;

export function ThemeButton(): ReactNode {
  const theme = useTheme();
  const label = `Theme: ${theme}; switch to ${NEXT[theme]}`;
  return (
    <button className="button plain" aria-label={label} title={label} onClick={() => chooseTheme(NEXT[theme])}>
      <Icon name={ICONS[theme]} />
    </button>
  );
}
