// Light, dark, or as the system is.

export type Appearance = 'system' | 'light' | 'dark';

function kept(): Appearance {
  const value = localStorage.getItem('appearance');
  return value === 'light' || value === 'dark' ? value : 'system';
}

let current = $state<Appearance>(kept());

const dark = matchMedia('(prefers-color-scheme: dark)');
function show() {
  document.documentElement.dataset.theme = current === 'system' ? (dark.matches ? 'dark' : 'light') : current;
}
dark.addEventListener('change', show);
show();

export const appearance = {
  get current(): Appearance {
    return current;
  },
  set(next: Appearance) {
    current = next;
    if (next === 'system') localStorage.removeItem('appearance');
    else localStorage.setItem('appearance', next);
    show();
  },
};
