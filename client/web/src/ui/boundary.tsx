// Keeps a fault of one page from taking the others along.

import { Component, type ReactNode } from "react";

export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <main className="page" role="alert">
        <h1>This page has a fault</h1>
        <p>Nothing is lost on the server. What the browser says of it:</p>
        <pre className="mono">{String(error.stack ?? error)}</pre>
        <p>
          <button className="button" onClick={() => this.setState({ error: null })}>
            Try again
          </button>
        </p>
      </main>
    );
  }
}
