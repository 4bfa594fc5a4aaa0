// A plain browser beside a running core: Vite's proxy carries `/v1` to the control socket.

import type { Event, Reply, Request } from '$api';
import { t } from '$lib/i18n.svelte';
import { envelope, TOKEN_STAYS, type Platform, type Reach } from './index';

async function call(request: Request): Promise<Reply> {
  let answer: Response;
  try {
    answer = await fetch('/v1/call', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
  } catch (error) {
    throw envelope('not-running', t('core.down.title'), String(error));
  }
  const text = await answer.text();
  let body: { ok?: Reply; error?: unknown };
  try {
    body = JSON.parse(text);
  } catch {
    throw envelope('not-running', t('core.down.title'), t('core.odd-answer', { status: answer.status }));
  }
  if (body.ok) return body.ok;
  throw body.error ?? envelope('failed', t('core.no-answer'), text.slice(0, 200));
}

function follow(event: (event: Event) => void, state: (reach: Reach) => void): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const open = () => {
    source = new EventSource('/v1/events');
    source.onopen = () => state({ up: true });
    source.onmessage = (message) => event(JSON.parse(message.data) as Event);
    source.onerror = () => {
      state({ up: false });
      source?.close();
      if (!stopped) retry = setTimeout(open, 1000);
    };
  };
  open();
  return () => {
    stopped = true;
    clearTimeout(retry);
    source?.close();
  };
}

export const web: Platform = {
  call,
  follow,
  async openDashboard() {
    const reply = await call({ method: 'dashboard-link', params: { address: null } });
    if (reply.kind === 'link') window.open(reply.data.url, '_blank', 'noopener');
  },
  async open(url) {
    window.open(url, '_blank', 'noopener');
  },
  copy: (text) => navigator.clipboard.writeText(text),
  async copyToken() {
    const reply = await call({ method: 'token-reveal' });
    if (reply.kind !== 'secret') return;
    const token = reply.data;
    await navigator.clipboard.writeText(token);
    // What was copied since stays. A page that may not read the clipboard leaves it alone.
    setTimeout(async () => {
      const now = await navigator.clipboard.readText().catch(() => undefined);
      if (now === token) await navigator.clipboard.writeText('').catch(() => undefined);
    }, TOKEN_STAYS);
  },
  async save(name, content) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  },
};
