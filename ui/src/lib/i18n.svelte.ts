// One catalogue for window, tray, notifications and command line: /catalogue/<language>.json.

import en from '$catalogue/en.json';
import zhHans from '$catalogue/zh-Hans.json';


/** Every text the window may show; a key with `.one` and `.other` is asked for without them. */
type Raw = keyof typeof en;
type Plural<K> = K extends `${infer Base}.other` ? Base : never;
export type Key = Raw | Plural<Raw>;
export type Language = 'en' | 'zh-Hans';
/** `{name}` in a text is replaced; `count` also chooses between `key.one` and `key.other`. */
export type Values = Record<string, string | number>;

const catalogues: Record<Language, Record<string, string>> = { en, 'zh-Hans': zhHans };

declare global {
  interface Window {
    /** The app's own language, set before the page is loaded; absent in a plain browser. */
    gatehouseLanguage?: string;
  }
}

function preferred(): Language {
  const kept = window.gatehouseLanguage ?? localStorage.getItem('language');
  if (kept === 'en' || kept === 'zh-Hans') return kept;
  return navigator.languages.some((tag) => /^zh\b(?!.*(hant|tw|hk|mo))/i.test(tag)) &&
    !navigator.language.toLowerCase().startsWith('en')
    ? 'zh-Hans'
    : 'en';
}

let current = $state<Language>(preferred());

export const language = {
  get current(): Language {
    return current;
  },
  set(next: Language) {
    current = next;
    localStorage.setItem('language', next);
    document.documentElement.lang = next;
  },
};

/** The text for a key in a language, the current one unless told; English where a translation is missing. */
export function t(key: Key, values: Values = {}, tongue: Language = current): string {
  const catalogue = catalogues[tongue];
  const plural = 'count' in values ? new Intl.PluralRules(tongue).select(Number(values.count)) : undefined;
  const text =
    (plural && (catalogue[`${key}.${plural}`] ?? catalogue[`${key}.other`])) ??
    catalogue[key] ??
    (en as Record<string, string>)[key] ??
    key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Whether a key stands in the catalogue; for keys made from the core's closed codes. */
export function has(key: string): key is Key {
  return key in en;
}
