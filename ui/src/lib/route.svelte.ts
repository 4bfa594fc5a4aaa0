// Which page is shown. The address bar's fragment is the only state, so that reload and tests land where they were.

export const pages = ['overview', 'access', 'devices', 'certificates', 'gateway', 'activity', 'settings'] as const;
export type Page = (typeof pages)[number];

function parse(hash: string): Page {
  const name = hash.replace(/^#\/?/, '').split('/')[0];
  return pages.find((page) => page === name) ?? 'overview';
}

let current = $state<Page>(parse(location.hash));
addEventListener('hashchange', () => (current = parse(location.hash)));

export const route = {
  get page(): Page {
    return current;
  },
  go(page: Page) {
    location.hash = `/${page}`;
  },
};
