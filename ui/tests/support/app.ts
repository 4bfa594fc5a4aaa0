// The app's side of its own window: Tauri's door, with a fake core behind it.

import type { Page } from 'playwright-core';
import type { ErrorEnvelope, Request } from '$api';
import { isError, opening } from '../scenes/index.js';
import type { FakeCore } from './core.js';

/** What the page asked the app for. */
export type Invoke = { command: string; args: Record<string, unknown> };
type Answer = { ok: unknown } | { error: ErrorEnvelope };

/** What Tauri puts into its window, as far as this page uses it. `commands`: what the app answers in this test. */
export async function door(page: Page, core: FakeCore, invoked: Invoke[], commands: Record<string, () => Answer | Promise<Answer>> = {}) {
  const tell = (name: string, payload: unknown) => page.evaluate(([event, data]) => (globalThis as unknown as { tell(event: string, data: unknown): void }).tell(event as string, data), [name, payload] as const);
  await page.exposeFunction('invokeCore', async (command: string, args: Record<string, unknown>) => {
    invoked.push({ command, args });
    const own = commands[command];
    if (own) return own();
    if (command === 'call') {
      const answer = await core.answer(args.request as Request);
      return isError(answer) ? { error: answer } : { ok: answer };
    }
    if (command === 'updates') return { ok: true };
    if (command === 'look_for_update') return { ok: invoked.filter((one) => one.command === command).length > 1 ? { version: '9.1.0', notes: 'Starts faster.' } : null };
    if (command === 'install_update') {
      await tell('update', { done: 3, of: 12 });
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { error: { code: 'failed', title: 'The app could not be updated', because: 'The signature is another one.', evidence: [] } };
    }
    if (command === 'login_item') return { ok: 'off' };
    if (command === 'set_login_item') return { error: { code: 'permission', title: 'Gatehouse is in a place that does not last', because: 'At the next login it may be gone.', evidence: [] } };
    if (command === 'neighbour') return { ok: { runs: true, asker: 'open-claw' } };
    if (command === 'follow') {
      await tell('core-up', { up: core.scene.up, hosting: core.scene.up });
      if (core.scene.up) for (const event of opening(core.scene)) await tell('core', event);
    }
    if (command === 'save_file') return { ok: `/Users/ada/Downloads/${args.name}` };
    return { ok: null };
  });
  await page.addInitScript(() => {
    const heard: Record<string, number[]> = {};
    const callbacks: ((message: unknown) => void)[] = [];
    const scope = globalThis as unknown as Record<string, unknown> & { invokeCore(command: string, args: unknown): Promise<{ ok?: unknown; error?: unknown }> };
    scope.tell = (event: string, payload: unknown) => heard[event]?.forEach((id) => callbacks[id]?.({ event, id, payload }));
    scope.__TAURI_EVENT_PLUGIN_INTERNALS__ = { unregisterListener() {} };
    scope.__TAURI_INTERNALS__ = {
      transformCallback: (callback: (message: unknown) => void) => callbacks.push(callback) - 1,
      async invoke(command: string, args: Record<string, unknown>) {
        if (command === 'plugin:event|listen') {
          (heard[args.event as string] ??= []).push(args.handler as number);
          return args.handler;
        }
        const answer = await scope.invokeCore(command, args ?? {});
        if (answer.error) throw answer.error;
        return answer.ok;
      },
    };
  });
  // The app freezes prototypes before any script of the page runs.
  await page.addInitScript(() => Object.freeze(Object.prototype));
}
