// The frame around every page, and which page stands at which address.

import { lazy, Suspense, useEffect, type ComponentType, type ReactNode } from "react";
import "./app.css";
import { ExperimentList } from "./experiments/list";
import { ExperimentPage } from "./experiments/page";
import { KeysButton } from "./keys";
import { translated } from "./mlflow-addresses";
import { addressOf, go, match, usePlace } from "./router";
import { Boundary } from "./ui/boundary";
import { ServerAway } from "./ui/server-away";
import { ThemeButton } from "./ui/theme-button";
import { TokenDialog } from "./ui/token-dialog";

type Page = ComponentType<{ parts: Record<string, string> }>;

const RunPage = lazy(() => import("./runs/page").then(({ RunPage }) => ({ default: RunPage })));
const RunRedirect = lazy(() => import("./runs/redirect").then(({ RunRedirect }) => ({ default: RunRedirect })));

// What few open first is loaded when it is opened.
const ComparePage = lazy(async () => ({ default: (await import("./compare/page")).ComparePage }));
const SeveralExperiments = lazy(async () => ({
  default: (await import("./experiments/several")).SeveralExperiments,
}));
const ArtifactAddress = lazy(async () => ({ default: (await import("./runs/artifact-address")).ArtifactAddress }));
const LoggedModelPage = lazy(async () => ({ default: (await import("./runs/logged-model")).LoggedModelPage }));
const Nowhere = lazy(async () => ({ default: (await import("./nowhere")).Nowhere }));
const registry = () => import("./models/pages");
const ModelList = lazy(async () => ({ default: (await registry()).ModelList }));
const ModelPage = lazy(async () => ({ default: (await registry()).ModelPage }));
const VersionPage = lazy(async () => ({ default: (await registry()).VersionPage }));

const PAGES: [string, Page][] = [
  ["/", ExperimentList],
  ["/experiments", ExperimentList],
  ["/experiments/:experimentId", ExperimentPage],
  ["/compare-experiments/*", SeveralExperiments],
  ["/compare-runs", ComparePage],
  ["/models", ModelList],
  ["/models/:name", ModelPage],
  ["/models/:name/versions/:version", VersionPage],
  ["/experiments/:experimentId/runs/:runId", RunPage],
  ["/experiments/:experimentId/runs/:runId/artifacts/*", ArtifactAddress],
  ["/experiments/:experimentId/runs/:runId/artifactPath/*", ArtifactAddress],
  ["/experiments/:experimentId/models/:modelId/*", LoggedModelPage],
  ["/runs/:runId", RunRedirect],
  ["/runs/:runId/artifacts/*", ArtifactAddress],
];

export function App(): ReactNode {
  const { path } = usePlace();
  return (
    <>
      <header className="bar">
        <a className="brand" href={addressOf("/experiments")}>
          <img src={new URL("./icon.svg", import.meta.url).href} alt="" width="22" height="22" />
          Trackwire
        </a>
        <nav aria-label="Main" className="line-of">
          <NavLink to="/experiments" path={path} alias="/">
            Experiments
          </NavLink>
          <NavLink to="/models" path={path}>
            Models
          </NavLink>
        </nav>
        <span className="grow" />
        <KeysButton />
        <ThemeButton />
      </header>
      <ServerAway />
      <Boundary key={path}>
        <Suspense fallback={null}>
          <Shown path={path} />
        </Suspense>
      </Boundary>
      <TokenDialog />
    </>
  );
}

function NavLink(props: { to: string; path: string; alias?: string; children: ReactNode }): ReactNode {
  const isHere = props.path === props.alias || props.path.startsWith(props.to);
  return (
    <a className="button plain" href={addressOf(props.to)} aria-current={isHere ? "page" : undefined}>
      {props.children}
    </a>
  );
}

function Shown({ path }: { path: string }): ReactNode {
  const ours = translated(usePlace());
  useEffect(() => {
    if (ours) go(ours, { replace: true });
  }, [ours]);
  if (ours) return null;
  for (const [pattern, Page] of PAGES) {
    const parts = match(pattern, path);
    if (parts) return <Page parts={parts} />;
  }
  return <Nowhere path={path} />;
}
