// The one place that knows where the page runs: in the app's own window, or in a plain browser beside a running core.

import type { ErrorEnvelope, Event, Reply, Request } from '$api';
import { t } from '$lib/i18n.svelte';

/** Who answers. */
export interface Reach {
  /** Whether a core does; `null` = it is not known yet. */
  up: boolean | null;
  /** Why none does, where that is known. */
  why?: ErrorEnvelope | null;
  /** Whether HTTPS ends with this app. */
  hosting?: boolean;
}

/** Whether the app opens at login; `needs-approval` = switched off in the system's settings. */
export type LoginItem = 'off' | 'on' | 'needs-approval';
/** Who asks about devices that wait: OpenClaw's app while it runs, or this one. */
export type Asker = 'open-claw' | 'gatehouse';
export interface Neighbour {
  /** Whether OpenClaw's app runs; `null` = there is none for this system. */
  runs: boolean | null;
  asker: Asker;
}

/** How long a token stays on the clipboard, in milliseconds. */
export const TOKEN_STAYS = 60_000;

/** A version of the app that is newer than this one. */
export interface NewVersion {
  version: string;
  /** What is new in it, as its publisher wrote it. */
  notes: string | null;
}
export interface Updates {
  /** Whether this build updates itself. */
  possible(): Promise<boolean>;
  /** Looks for a newer version; `null` = there is none. */
  look(): Promise<NewVersion | null>;
  /** Loads the newest version, puts it in the place of this one and starts it. `loaded` in bytes. */
  install(loaded: (done: number, of: number | null) => void): Promise<void>;
}

/** What the page needs of its surroundings. */
export interface Platform {
  /** Asks the core. Rejects with an `ErrorEnvelope`. */
  call(request: Request): Promise<Reply>;
  /** Follows the core. `state` tells who answers; the first event of a stream is the whole snapshot. */
  follow(event: (event: Event) => void, state: (reach: Reach) => void): () => void;
  /** Opens an address outside the page. */
  open(url: string): Promise<void>;
  /** Has the one-time owner link made and opens it in the browser of this computer. The link goes nowhere else. */
  openDashboard(): Promise<void>;
  /** Puts text on the clipboard. */
  copy(text: string): Promise<void>;
  /** Puts the gateway's token on the clipboard for a minute, hidden from clipboard histories where the system can. The page never sees it. */
  copyToken(): Promise<void>;
  /** Lets the user keep a file; `secret`: nobody else may read it. Hands out where it is, where that is known. */
  save(name: string, content: Blob, secret?: boolean): Promise<string | void>;
  /** Hosts a core in the app, where none answers; absent where nothing can. */
  startCore?(): Promise<void>;
  /** The app's own version; absent where there is no app. */
  version?: string;
  /** Ends the app; absent where there is none. */
  quit?(): Promise<void>;
  /** Whether the app opens when its user logs in; `null` = this system cannot do it; absent where there is no app. */
  loginItem?(): Promise<LoginItem | null>;
  /** Has the app open when its user logs in, or not. */
  setLoginItem?(on: boolean): Promise<void>;
  /** OpenClaw's own app, and who asks about devices; absent where there is no app. */
  neighbour?(): Promise<Neighbour>;
  /** Who asks about devices from now on. */
  chooseAsker?(asker: Asker): Promise<void>;
  /** Newer versions of the app; absent where there is no app. */
  updates?: Updates;
  /** Tells the app which language was chosen, for its tray and notifications; absent = the system's. */
  chooseLanguage?(language: string | undefined): Promise<void>;
}

/** An error of the page itself, in the shape of the core's. */
export function envelope(code: ErrorEnvelope['code'], title: string, because: string): ErrorEnvelope {
  return { code, title, because, evidence: [] };
}

/** Whatever was thrown, as an error envelope. */
export function asEnvelope(thrown: unknown): ErrorEnvelope {
  if (thrown && typeof thrown === 'object' && 'code' in thrown && 'because' in thrown) return thrown as ErrorEnvelope;
  return envelope('failed', t('error.window'), String(thrown));
}

/** The platform this page runs on. */
export async function platform(): Promise<Platform> {
  if ('__TAURI_INTERNALS__' in window) return (await import('./tauri')).tauri;
  return (await import('./web')).web;
}
