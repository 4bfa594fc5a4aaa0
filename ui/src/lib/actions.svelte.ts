// Everything a person can do in this window, by name: what the palette lists and what keys do. Names and keys stand in
// catalogue/actions.json, from which the tray takes its keys, too.

import table from '$catalogue/actions.json';
import type { GatewayAction } from '$api';
import { appearance } from './appearance.svelte';
import { core } from './core.svelte';
import { dashboard } from './dashboard.svelte';
import { language, t, type Key, type Language } from './i18n.svelte';
import { pages, route } from './route.svelte';

export type ActionId = keyof typeof table;

/** What an action needs beside its name: when it can be done, and how. */
interface Deed {
  /** Whether it makes sense now; what does not is not listed and its key does nothing. */
  able: () => boolean;
  act: () => unknown;
}

/** Opens the palette; set by it. */
export const palette = $state({ open: false });

const snapshot = () => (core.up ? core.snapshot : undefined);
const isOpen = () => !!snapshot() && snapshot()!.desired.state !== 'off';
const runs = () => ['running', 'starting', 'auth-refused'].includes(snapshot()?.gateway.verdict ?? '');
const best = () => snapshot()?.addresses.find((address) => address.scope !== 'mac') ?? snapshot()?.addresses[0];
const known = () => !!snapshot();

function chooseLanguage(next: Language) {
  language.set(next);
  void core.attempt(async () => core.platform.chooseLanguage?.(next));
}
const pause = (seconds: number | null): Deed => ({
  able: () => isOpen() && !['paused', 'preparing'].includes(snapshot()!.actual.state),
  act: () => core.attempt(() => core.ask({ method: 'pause', params: { seconds } }, 'done')),
});
const expose = (scope: string): Deed => ({ able: () => known() && snapshot()!.gateway.verdict !== 'not-found', act: () => route.ask('overview', `open-${scope}`) });
const gateway = (action: GatewayAction, able: () => boolean): Deed => ({ able, act: () => route.ask('gateway', action) });
const certificate = (then: string): Deed => ({ able: known, act: () => route.ask('certificates', then) });
const visit = (page: (typeof pages)[number]): Deed => ({ able: () => true, act: () => route.go(page) });
const look = (value: 'light' | 'dark' | 'system'): Deed => ({ able: () => appearance.current !== value, act: () => appearance.set(value) });

/** Everything but what only the tray has: showing the window. */
const deeds: Record<Exclude<ActionId, 'window'>, Deed> = {
  palette: { able: () => true, act: () => (palette.open = true) },
  'open.dashboard': { able: () => snapshot()?.gateway.verdict === 'running' && !!best() && !dashboard.since, act: () => dashboard.open() },
  'devices.review': { able: () => known() && core.waiting.length > 0, act: () => route.ask('overview', 'review') },
  undo: { able: () => known() && core.undoable !== undefined, act: () => route.ask('overview', 'undo') },
  cancel: { able: () => snapshot()?.actual.state === 'preparing', act: () => core.cancelChange() },
  confirm: { able: () => !!snapshot()?.last_change?.confirm_by, act: () => core.attempt(() => core.ask({ method: 'confirm' }, 'change')) },
  'link.copy': {
    able: () => !!best(),
    act: () => {
      const { url } = best()!;
      return core.attempt(async () => {
        await core.platform.copy(url);
        core.say(t('copy.done', { name: url }));
      });
    },
  },
  'link.qr': { able: () => !!best(), act: () => route.ask('overview', 'phone') },
  'address.test': { able: () => !!best(), act: () => route.ask('access', 'test') },
  'expose.mac': expose('mac'),
  'expose.lan': expose('lan'),
  'expose.internet': expose('internet'),
  'expose.off': { able: isOpen, act: () => route.ask('overview', 'close') },
  'pause.900': pause(900),
  'pause.3600': pause(3600),
  'pause.until-resume': pause(null),
  resume: { able: () => snapshot()?.actual.state === 'paused', act: () => core.attempt(() => core.ask({ method: 'resume' }, 'done')) },
  history: { able: known, act: () => route.ask('overview', 'history') },
  'cert.public': certificate('public'),
  'cert.import': certificate('import'),
  'cert.log': certificate('log'),
  'cert.issue': certificate('issue'),
  'cert.require': certificate('require'),
  'gateway.start': gateway('start', () => snapshot()?.gateway.verdict === 'stopped'),
  'gateway.restart': gateway('restart', runs),
  'gateway.stop': gateway('stop', runs),
  'core.start': { able: () => core.up === false && !!core.platform.startCore, act: () => core.attempt(async () => core.platform.startCore?.()) },
  find: { able: known, act: () => route.ask('activity', 'find') },
  'page.overview': visit('overview'),
  'page.access': visit('access'),
  'page.devices': visit('devices'),
  'page.certificates': visit('certificates'),
  'page.gateway': visit('gateway'),
  'page.activity': visit('activity'),
  'page.settings': visit('settings'),
  settings: visit('settings'),
  'appearance.light': look('light'),
  'appearance.dark': look('dark'),
  'appearance.system': look('system'),
  'language.en': { able: () => language.current !== 'en', act: () => chooseLanguage('en') },
  'language.zh-Hans': { able: () => language.current !== 'zh-Hans', act: () => chooseLanguage('zh-Hans') },
  quit: { able: () => !!core.platform.quit, act: () => core.attempt(async () => core.platform.quit?.()) },
};

export type WindowAction = keyof typeof deeds;
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
const row = (id: ActionId) => table[id] as { text: Key; key?: string };

/** Its name in the window's language. */
export const nameOf = (id: ActionId): string => t(row(id).text);

/** Its name in every language: somebody may know it by the other one. */
export const namesOf = (id: ActionId): string[] => (['en', 'zh-Hans'] as const).map((tongue) => t(row(id).text, {}, tongue));

/** Its key as people read it, `⌘O` or `Ctrl+O`; empty = it has none. */
export function keyOf(id: ActionId): string {
  const key = row(id).key;
  if (!key) return '';
  return isMac ? key.replace('Shift+', '⇧').replace(/^(⇧?)/, '$1⌘') : `Ctrl+${key}`;
}

/** The same for assistive software. */
export function ariaKeyOf(id: ActionId): string | undefined {
  const key = row(id).key;
  return key && `${isMac ? 'Meta' : 'Control'}+${key}`;
}

export const isAble = (id: WindowAction): boolean => deeds[id].able();

/** Does it, where it can be done. */
export function run(id: WindowAction): boolean {
  if (!isAble(id)) return false;
  void deeds[id].act();
  return true;
}

/** What can be done now, in the order of the table. */
export const able = (): WindowAction[] => (Object.keys(table) as ActionId[]).filter((id): id is WindowAction => id !== 'window' && id !== 'palette' && isAble(id));

/** Keys that text fields have a use of their own for. */
const OF_TEXT = new Set(['z', 'shift+c']);

/** The action that a key asks for; `undefined` = the key is somebody else's. */
export function actionOf(event: KeyboardEvent): WindowAction | undefined {
  const command = isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (!command || event.altKey || event.isComposing) return undefined;
  const key = `${event.shiftKey ? 'shift+' : ''}${event.key.toLowerCase()}`;
  if (key === 'shift+p') return 'palette';
  const field = event.target instanceof HTMLElement && event.target.matches('input:not([type=radio], [type=checkbox]), textarea, [contenteditable]');
  if (field && OF_TEXT.has(key)) return undefined;
  const id = (Object.keys(table) as ActionId[]).find((one) => row(one).key?.toLowerCase() === key);
  // The tray app itself ends the app; a browser keeps its own key for that.
  return id && id !== 'window' && id !== 'quit' ? id : undefined;
}
