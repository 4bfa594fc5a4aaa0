// The one place that knows where the page runs: in the app's own window, or in a plain browser beside a running core.

import type { ErrorEnvelope, Event, Reply, Request } from '$api';

/** What the page needs of its surroundings. */
export interface Platform {
  /** Asks the core. Rejects with an `ErrorEnvelope`. */
  call(request: Request): Promise<Reply>;
  /** Follows the core. `state` tells whether the stream is up; the first event of a stream is the whole snapshot. */
  follow(event: (event: Event) => void, state: (up: boolean) => void): () => void;
  /** Opens an address outside the page. */
  open(url: string): Promise<void>;
  /** Puts text on the clipboard. */
  copy(text: string): Promise<void>;
  /** Lets the user keep a file. */
  save(name: string, content: Blob): Promise<void>;
}

/** An error of the page itself, in the shape of the core's. */
export function envelope(code: ErrorEnvelope['code'], title: string, because: string): ErrorEnvelope {
  return { code, title, because, evidence: [] };
}

/** Whatever was thrown, as an error envelope. */
export function asEnvelope(thrown: unknown): ErrorEnvelope {
  if (thrown && typeof thrown === 'object' && 'code' in thrown && 'because' in thrown) return thrown as ErrorEnvelope;
  return envelope('failed', 'Something in this window failed', String(thrown));
}

/** The platform this page runs on. */
export async function platform(): Promise<Platform> {
  if ('__TAURI_INTERNALS__' in window) return (await import('./tauri')).tauri;
  return (await import('./web')).web;
}
