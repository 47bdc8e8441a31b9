// The pages of the registry, loaded as one when the first of them is opened.

export { ModelList } from "./list";
export { ModelPage } from "./page";
export { VersionPage } from "./version";
