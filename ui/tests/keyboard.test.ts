// The window without a mouse. Every journey here presses keys only.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { closeBrowser, pages, Stage } from './support/browser.js';
import { off, on, oneWaits, parts } from './scenes/index.js';

describe('keyboard', () => {
  after(closeBrowser);

  it('opens to the network: choose, review, turn on', () =>
    Stage.play(off, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      const press = (key: string) => page.keyboard.press(key);
      await stage.tabTo(/^Open to My Network/);
      await press('Enter');
      await page.getByRole('dialog', { name: 'Who may reach your gateway?' }).waitFor();
      await stage.tabTo(/Devices on my network/);
      await press('ArrowDown');
      assert.match(await stage.focused(), /The internet/);
      await press('ArrowUp');
      await stage.tabTo(/^Review/);
      await press('Enter');
      await page.getByRole('dialog', { name: 'Review what will change' }).waitFor();
      assert.deepEqual(core.asked('open'), [], 'nothing is turned on before it is reviewed');
      core.answers.open = () => {
        core.now({ ...on.snapshot });
        return { kind: 'change', data: { id: 'c7', title: 'Open to local network', state: 'committed', warnings: [] } };
      };
      await stage.tabTo(/^Turn On/);
      await press('Enter');
      await page.getByRole('dialog', { name: 'Your gateway has an HTTPS address' }).waitFor();
      const params = { scope: 'lan', hosts: [], port: null, redirect_port: null, only: [], confirm_within: null };
      assert.deepEqual(await core.hears('plan-open'), [{ method: 'plan-open', params }]);
      assert.deepEqual(await core.hears('open'), [{ method: 'open', params }]);
      await press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.getByText('Open to your local network').waitFor();
    }));

  it('Return approves the only device where it asks for little', () =>
    Stage.play(oneWaits, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      await stage.tabTo(/^Review 1 Device/);
      await page.keyboard.press('Enter');
      await page.getByRole('dialog', { name: '1 device wants to connect' }).waitFor();
      await stage.tabTo(/^Name/);
      await page.keyboard.type('Kitchen tablet');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.deepEqual(await core.hears('devices-approve'), [
        { method: 'devices-approve', params: { device: parts.tablet.device_id, access: 'chat', label: 'Kitchen tablet', shown_scopes: parts.tablet.scopes, expires_in: null } },
      ]);
    }));

  it('Return approves nothing where a device asks for full control, or where several wait', async () => {
    const admin = { ...oneWaits, devices: { pending: [parts.iphone], paired: [], expired: [] } };
    const two = { ...on, devices: { pending: [parts.tablet, { ...parts.tablet, device_id: 'f'.repeat(64) }], paired: [], expired: [] } };
    for (const scene of [admin, two]) {
      await Stage.play(scene, 'overview', {}, async (stage) => {
        const { page, core } = stage;
        await stage.tabTo(/^Review [12] Device/);
        await page.keyboard.press('Enter');
        await page.getByRole('dialog').waitFor();
        await stage.tabTo(/^Name/);
        await page.keyboard.type('x');
        await page.keyboard.press('Enter');
        await stage.settled();
        assert.deepEqual(core.asked('devices-approve'), []);
      });
    }
  });

  it('Escape decides nothing and gives the focus back', () =>
    Stage.play(on, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      const asked = () => core.requests.filter(({ method }) => !/list|plan|history|seen|status|access|traffic|always-on|^network/.test(method));
      for (const name of [/^Review 2 Devices/, /^Undo/, /^History/, /^Turn Off/, /^Change/, /^Show QR code of https:\/\/mini.local/]) {
        await page.locator('h1').focus();
        await stage.tabTo(name);
        await page.keyboard.press('Enter');
        await page.getByRole('dialog').waitFor();
        assert.notEqual(await stage.focused(), 'nothing', 'the sheet has the focus');
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        assert.match(await stage.focused(), name);
      }
      assert.deepEqual(asked(), []);
    }));

  it('adds an origin with Return', () =>
    Stage.play(on, 'access', {}, async (stage) => {
      const { page, core } = stage;
      core.scene.test = { origin: '', canonical: 'https://chat.example.com', verdict: 'refused', because: 'It is not listed.' };
      await stage.tabTo(/^Allow an origin/);
      await page.keyboard.type('https://Chat.example.com/');
      await page.getByText('A browser sends https://chat.example.com.').waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Remove https://chat.example.com', exact: true }).waitFor();
      assert.deepEqual(await core.hears('origins-add'), [{ method: 'origins-add', params: { origin: 'https://chat.example.com' } }]);
      await page.getByRole('status').getByText('https://chat.example.com is allowed').waitFor();
    }));

  it('revokes a device; the harmless answer has the focus first', () =>
    Stage.play(on, 'devices', {}, async (stage) => {
      const { page, core } = stage;
      await stage.tabTo(/^Revoke Kitchen laptop/);
      await page.keyboard.press('Enter');
      await page.getByRole('dialog', { name: 'Revoke Kitchen laptop?' }).waitFor();
      assert.equal(await stage.focused(), 'Cancel');
      await stage.tabTo(/^Also replace/, 'Shift+Tab');
      await page.keyboard.press('Space');
      await stage.tabTo(/^Revoke…?$/);
      await page.keyboard.press('Enter');
      await page.getByRole('dialog', { name: 'Kitchen laptop is revoked' }).waitFor();
      assert.deepEqual(await core.hears('devices-revoke'), [{ method: 'devices-revoke', params: { device: parts.laptop.device_id, rotate_token: true } }]);
      await page.keyboard.press('Escape');
    }));

  it('goes to every page by its key, and its heading has the focus', () =>
    Stage.play(on, 'overview', {}, async (stage) => {
      for (const [index, name] of pages.entries()) {
        await stage.page.keyboard.press(name === 'settings' ? 'Control+,' : `Control+${index + 1}`);
        await stage.page.locator(`nav a[href="#/${name}"][aria-current=page]`).waitFor();
        await stage.settled();
        assert.equal((await stage.focused()).toLowerCase(), name);
      }
    }));

  it('chooses a language and keeps the focus where it is', () =>
    Stage.play(on, 'settings', {}, async (stage) => {
      const { page } = stage;
      await stage.tabTo(/^English/);
      await page.keyboard.press('ArrowRight');
      await page.getByRole('heading', { name: '设置', level: 1 }).waitFor();
      await page.waitForFunction(() => document.title === '设置 – Gatehouse');
      assert.equal(await stage.focused(), '简体中文');
    }));

  it('moves in the pause menu with arrows and leaves it with Escape', () =>
    Stage.play(on, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      await stage.tabTo(/^Pause/);
      await page.keyboard.press('Enter');
      await page.getByRole('menu').waitFor();
      assert.equal(await stage.focused(), '15 Minutes');
      await page.keyboard.press('Escape');
      assert.equal(await stage.focused(), 'Pause');
      assert.deepEqual(core.asked('pause'), []);
      await page.keyboard.press('Enter');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Resume Access' }).waitFor();
      assert.deepEqual(await core.hears('pause'), [{ method: 'pause', params: { seconds: 3600 } }]);
    }));

  it('shows where the focus is, on everything that Tab reaches', async () => {
    for (const name of pages) {
      for (const theme of ['light', 'dark'] as const) {
        await Stage.play(on, name, { theme }, async (stage) => {
          const seen = new Set<string>();
          let rounds = 0;
          for (let step = 0; step < 80; step += 1) {
            await stage.page.keyboard.press('Tab');
            const { name: what, ring } = await stage.page.evaluate(() => {
              const element = document.activeElement;
              if (!element || element === document.body) return { name: '', ring: true };
              const all = [...document.querySelectorAll('*')];
              const ringed = (one: Element | null): boolean => !!one && getComputedStyle(one).outlineStyle !== 'none' && parseFloat(getComputedStyle(one).outlineWidth) >= 2;
              return { name: `${all.indexOf(element)} ${element.tagName} ${element.getAttribute('aria-label') ?? element.textContent?.trim() ?? ''}`, ring: ringed(element) || ringed(element.closest('label')) };
            });
            // From the heading to the end, and once more from the top to where it began.
            if (what === '' && (rounds += 1) < 2) continue;
            if (what === '' || seen.has(what)) break;
            seen.add(what);
            assert.ok(ring, `no focus ring on “${what}” of ${name}`);
          }
          assert.ok(seen.size > 9, `only ${seen.size} stops on ${name}`);
        });
      }
    }
  });
});
