// The window as the app shows it: Tauri's door in place of the web's, and exactly the app's own security policy.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Request } from '$api';
import { closeBrowser, pages, Stage } from './support/browser.js';
import { policy, type FakeCore } from './support/core.js';
import { isError, on, opening } from './scenes/index.js';
import type { Page } from 'playwright-core';

type Invoke = { command: string; args: Record<string, unknown> };

/** What Tauri puts into its window, as far as this page uses it. */
async function door(page: Page, core: FakeCore, invoked: Invoke[]) {
  const tell = (name: string, payload: unknown) => page.evaluate(([event, data]) => (globalThis as unknown as { tell(event: string, data: unknown): void }).tell(event as string, data), [name, payload] as const);
  await page.exposeFunction('invokeCore', async (command: string, args: Record<string, unknown>) => {
    invoked.push({ command, args });
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
      await tell('core-up', { up: true, hosting: true });
      for (const event of opening(core.scene)) await tell('core', event);
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

describe("the app's own policy", () => {
  after(closeBrowser);

  it('keeps nothing of the window out, on every page and in every sheet', async () => {
    const invoked: Invoke[] = [];
    const csp = policy(false);
    assert.doesNotMatch(csp, /unsafe/);
    await Stage.play(on, 'overview', {}, async (stage) => {
      const { page } = stage;
      for (const name of pages) await stage.go(name);
      await stage.go('overview');
      for (const button of ['Review 2 Devices…', 'Change…', 'Undo…', 'History…', 'Turn Off…', 'Show QR code of https://mini.local']) {
        await page.getByRole('button', { name: button }).click();
        await page.getByRole('dialog').waitFor();
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      await page.getByRole('button', { name: 'Copy https://mini.local', exact: true }).click();
      await page.getByText('Copied', { exact: true }).waitFor();
      assert.deepEqual(invoked.filter(({ command }) => command === 'copy_text'), [{ command: 'copy_text', args: { text: 'https://mini.local' } }]);
      await page.getByRole('button', { name: 'Open https://mini.local in the browser' }).click();
      await stage.settled();
      assert.deepEqual(invoked.filter(({ command }) => command === 'open_url'), [{ command: 'open_url', args: { url: 'https://mini.local' } }]);
      await stage.go('certificates');
      await page.getByRole('button', { name: 'Save as CRT…' }).click();
      await page.waitForTimeout(100);
      assert.deepEqual(invoked.filter(({ command }) => command === 'save_file'), [{ command: 'save_file', args: { name: 'gatehouse-ca.crt', bytes: [1, 2, 3], secret: false } }]);
      await page.getByRole('button', { name: 'Give a Certificate…' }).click();
      await page.getByRole('textbox', { name: 'What to call the device' }).fill('Phone');
      await page.getByRole('button', { name: 'Make Certificate' }).click();
      await page.getByText('Saved as /Users/ada/Downloads/Phone.p12').waitFor();
      assert.deepEqual(invoked.filter(({ command }) => command === 'save_file')[1]?.args, { name: 'Phone.p12', bytes: [1, 2, 3], secret: true }, 'nobody else may read a key');
    }, { csp, prepare: (page, core) => door(page, core, invoked) });
  });

  it('opens at login when told to, says why where it cannot, and leaves asking to whom the user wants', async () => {
    const invoked: Invoke[] = [];
    const sent = (wanted: string) => invoked.filter(({ command }) => command === wanted).map(({ args }) => args);
    await Stage.play(on, 'settings', {}, async (stage) => {
      const { page } = stage;
      const box = page.getByRole('checkbox', { name: /Open Gatehouse when I log in/ });
      await box.waitFor();
      assert.equal(await box.isChecked(), false);
      await stage.picture('settings-app');
      await box.click();
      await page.getByRole('alert').getByText('Gatehouse is in a place that does not last').waitFor();
      assert.deepEqual(sent('set_login_item'), [{ on: true }]);
      assert.equal(await box.isChecked(), false, 'what failed is not shown as done');
      await page.getByText('OpenClaw’s app runs on this Mac', { exact: false }).waitFor();
      await page.getByRole('radio', { name: 'Gatehouse asks' }).click();
      await stage.settled();
      assert.deepEqual(sent('choose_asker'), [{ asker: 'gatehouse' }]);
    }, { csp: policy(false), prepare: (page, core) => door(page, core, invoked) });
  });

  it('looks for a new version when told to, shows how far it is, and says why it stays as it is', async () => {
    const invoked: Invoke[] = [];
    await Stage.play(on, 'settings', {}, async (stage) => {
      const card = stage.page.getByRole('region', { name: 'Updates' });
      const look = card.getByRole('button', { name: 'Look for a New Version' });
      await look.waitFor();
      assert.equal(invoked.some(({ command }) => command === 'look_for_update'), false, 'nothing is asked by itself');
      await look.click();
      await card.getByText('This is the newest version.').waitFor();
      await look.click();
      await card.getByText('Version 9.1.0 is there.').waitFor();
      await stage.picture('settings-update');
      await card.getByRole('button', { name: 'Install and Restart' }).click();
      await card.getByText('Loaded 25 %').waitFor();
      await card.getByText('The app could not be updated').waitFor();
    }, { csp: policy(false), prepare: (page, core) => door(page, core, invoked) });
  });

  it('keeps out what is not the window’s own', () =>
    Stage.play(on, 'overview', {}, async (stage) => {
      const blocked = await stage.page.evaluate(async () => {
        const seen: string[] = [];
        document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective));
        const script = document.createElement('script');
        script.textContent = 'globalThis.owned = true';
        document.body.append(script);
        document.body.setAttribute('style', 'color: red');
        await fetch('https://example.com/').catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 100));
        return { seen: [...new Set(seen)].sort(), owned: 'owned' in globalThis };
      });
      assert.equal(blocked.owned, false);
      for (const directive of ['connect-src', 'script-src-elem', 'style-src-attr']) assert.ok(blocked.seen.includes(directive), `${directive}: ${blocked.seen.join()}`);
    }, { mayComplain: /Content Security Policy|violates/ }));

  it('shows an error of the core as it is', () =>
    Stage.play(on, 'certificates', {}, async ({ page, core }) => {
      core.answers['cert-export-ca'] = () => ({ code: 'storage', title: 'The authority could not be read', because: 'Permission denied.', evidence: ['open: EACCES'] });
      await page.getByRole('button', { name: 'Save as PEM…' }).click();
      await page.getByRole('alert').getByText('The authority could not be read').waitFor();
      await page.getByText('What was measured').click();
      await page.getByText('open: EACCES').waitFor();
    }, { csp: policy(false), prepare: (page, core) => door(page, core, []) }));
});
