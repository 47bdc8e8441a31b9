// Keeps a fault of one page from taking the others along.

import { Component, type ReactNode } from "react";
import { isOfPart, reload } from "./parts";

export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    if (isOfPart(error)) return <PartMissing />;
    return (
      <main className="page">
        <div role="alert">
          <h1>This page has a fault</h1>
          <p>Nothing is lost on the server. What the browser says of it:</p>
          <pre className="mono">{String(error.stack ?? error)}</pre>
        </div>
        <p>
          <button className="button" onClick={() => this.setState({ error: null })}>
            Try again
          </button>
        </p>
      </main>
    );
  }
}

function PartMissing(): ReactNode {
  return (
    <main className="page">
      <div role="alert">
        <h1>A part of this page is not there</h1>
        <p>The server can’t be reached, or it has been upgraded since this page was loaded.</p>
      </div>
      <p>
        <button className="button" onClick={() => void reload()}>
          Try again
        </button>
      </p>
    </main>
  );
}
