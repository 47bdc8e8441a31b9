// Code that runs as it stands there, to be copied.

import type { ReactNode } from "react";
import { accessToken } from "../api/token";
import "./code.css";
import { CopyButton } from "./copy-button";

export function Code({ text, tokenIn = "TRACKWIRE_TOKEN" }: { text: string; tokenIn?: string }): ReactNode {
  return (
    <div className="code-block">
      <pre className="code">{text}</pre>
      <CopyButton text={text} label="Copy" words />
      {accessToken() && (
        <p className="soft">
          This server asks for a token: it is taken from the environment, as <span className="mono">{tokenIn}</span>.
        </p>
      )}
    </div>
  );
}
