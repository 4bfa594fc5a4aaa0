// The app's own window: one command for the whole api, one event for everything the core tells.

import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Event, Reply, Request } from '$api';
import { version } from '../../package.json';
import type { Platform, Reach } from './index';

export const tauri: Platform = {
  call: (request: Request) => invoke<Reply>('call', { request }),
  follow(event, state) {
    let stopped = false;
    const stops = [
      listen<Event>('core', (message) => event(message.payload)),
      listen<Reach>('core-up', (message) => state(message.payload)),
      // The tray's menu asks for a page, or for a sheet of one.
      listen<string>('go', (message) => (location.hash = `/${message.payload}`)),
    ];
    Promise.all(stops)
      .then(() => (stopped ? undefined : invoke('follow')))
      .catch(() => state({ up: false }));
    return () => {
      stopped = true;
      for (const stop of stops) stop.then((unlisten) => unlisten());
    };
  },
  open: (url) => invoke('open_url', { url }),
  openDashboard: () => invoke('open_dashboard'),
  copy: (text) => invoke('copy_text', { text }),
  copyToken: () => invoke('copy_token'),
  save: async (name, content, secret = false) => {
    const bytes = Array.from(new Uint8Array(await content.arrayBuffer()));
    return invoke<string>('save_file', { name, bytes, secret });
  },
  startCore: () => invoke('start_core'),
  // The app carries the window that was built with it.
  version,
  quit: () => invoke('quit'),
  loginItem: () => invoke('login_item'),
  setLoginItem: (on) => invoke('set_login_item', { on }),
  neighbour: () => invoke('neighbour'),
  chooseAsker: (asker) => invoke('choose_asker', { asker }),
  updates: {
    possible: () => invoke('updates'),
    look: () => invoke('look_for_update'),
    async install(loaded) {
      const unlisten = await listen<{ done: number; of: number | null }>('update', ({ payload }) => loaded(payload.done, payload.of));
      await invoke('install_update').finally(unlisten);
    },
  },
  chooseLanguage: (language) => invoke('choose_language', { language: language ?? null }),
};
