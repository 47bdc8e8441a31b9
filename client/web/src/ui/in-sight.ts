/** The one of some tabs that is chosen, where there is no room for all: a ref of it. */
export function bringIntoSight(tab: HTMLElement | null): void {
  tab?.scrollIntoView({ block: "nearest", inline: "nearest" });
}
