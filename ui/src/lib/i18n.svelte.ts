// One catalogue for window, tray, notifications, core, command line and edge: /catalogue. The window has all but the last two.

import type { Text } from '$api';
import coreEn from '$catalogue/core/en.json';
import coreZhHans from '$catalogue/core/zh-Hans.json';
import en from '$catalogue/en.json';
import zhHans from '$catalogue/zh-Hans.json';

/** Every text the window may show; a key with `.one` and `.other` is asked for without them. */
type Raw = keyof typeof en;
type Plural<K> = K extends `${infer Base}.other` ? Base : never;
export type Key = Raw | Plural<Raw>;
export type Language = 'en' | 'zh-Hans';
/** `{name}` in a text is replaced; `count` also chooses between `key.one` and `key.other`. */
export type Values = Record<string, number | Text>;

const catalogues: Record<Language, Record<string, string>> = { en: { ...coreEn, ...en }, 'zh-Hans': { ...coreZhHans, ...zhHans } };

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
  return find(tongue, key, values) ?? find('en', key, values) ?? key;
}

/**
 * What the core said, in the current language. A text of the core is its key with its arguments, or somebody's own
 * words; the English that comes with it stands in where this window does not know the key or misses an argument.
 */
export function say(text: Text | undefined | null): string {
  if (text === undefined || text === null) return '';
  if (typeof text === 'string') return text;
  return (current === 'en' ? undefined : find(current, text.key, text.args ?? {})) ?? text.text;
}

function find(language: Language, key: string, values: Values): string | undefined {
  const catalogue = catalogues[language];
  const plural = 'count' in values ? new Intl.PluralRules(language).select(Number(values.count)) : undefined;
  const text = (plural && (catalogue[`${key}.${plural}`] ?? catalogue[`${key}.other`])) ?? catalogue[key];
  const missing = text?.match(/\{\w+\}/g)?.some((hole) => !(hole.slice(1, -1) in values));
  return missing ? undefined : text?.replace(/\{(\w+)\}/g, (_, name: string) => value(values[name]));
}

function value(value: number | Text | undefined): string {
  return typeof value === 'number' ? String(value) : say(value);
}

/** Whether a key stands in the catalogue; for keys made from the core's closed codes. */
export function has(key: string): key is Key {
  return key in en;
}
