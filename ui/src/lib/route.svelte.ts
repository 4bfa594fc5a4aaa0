// Which page is shown, and which sheet of it was asked for. The address bar's fragment is the only state, so that reload
// and tests land where they were.

export const pages = ['overview', 'access', 'devices', 'certificates', 'gateway', 'activity', 'settings'] as const;
export type Page = (typeof pages)[number];

function parse(hash: string): { page: Page; then: string } {
  const [name, then = ''] = hash.replace(/^#\/?/, '').split('/');
  return { page: pages.find((page) => page === name) ?? 'overview', then };
}

let current = $state(parse(location.hash));
addEventListener('hashchange', () => (current = parse(location.hash)));

export const route = {
  get page(): Page {
    return current.page;
  },
  /** What is to be opened on the page (`#/overview/undo`); empty = nothing. */
  get then(): string {
    return current.then;
  },
  go(page: Page) {
    location.hash = `/${page}`;
  },
  /** Shows a page and asks it to open something: a sheet, a field. */
  ask(page: Page, then: string) {
    location.hash = `/${page}/${then}`;
  },
  /** It was opened: a reload does not open it again, and it can be asked for a second time. */
  opened() {
    history.replaceState(null, '', `#/${current.page}`);
    current = { page: current.page, then: '' };
  },
};
