// Keys and the palette: every action by name and by key, from anywhere, and never against a text field or an open sheet.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { closeBrowser, languages, Stage, themes } from './support/browser.js';
import { at, gatewayDown, off, on, parts, preparing } from './scenes/index.js';

const cancelled = { code: 'cancelled' as const, title: '“Open to local network” was stopped; everything was put back', because: 'It was stopped.', evidence: [] };

describe('actions', () => {
  after(closeBrowser);

  it('the palette is opened by its key, finds by words of either language, and does what is chosen', () =>
    Stage.play(on, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      await page.keyboard.press('Control+k');
      const palette = page.getByRole('dialog', { name: 'Commands' });
      await palette.waitFor();
      assert.equal(await stage.focused(), 'Type what you want to do');
      await page.keyboard.type('暂停');
      await palette.getByRole('option', { name: 'Pause Access for 1 Hour' }).waitFor();
      assert.equal(await palette.getByRole('option').count(), 3);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await palette.waitFor({ state: 'hidden' });
      await page.getByRole('button', { name: 'Resume Access' }).waitFor();
      assert.deepEqual(await core.hears('pause'), [{ method: 'pause', params: { seconds: 3600 } }]);
    }));

  it('the palette lists nothing that cannot be done, and its own key and Escape close it', () =>
    Stage.play(off, 'access', {}, async (stage) => {
      const { page } = stage;
      for (const close of ['Control+k', 'Escape']) {
        await page.keyboard.press('Control+k');
        await page.getByRole('dialog', { name: 'Commands' }).waitFor();
        const names = await page.getByRole('option').allInnerTexts();
        for (const absent of ['Pause', 'Resume', 'Undo', 'Open Dashboard', 'Quit']) assert.ok(!names.some((name) => name.startsWith(absent)), `${absent} in ${names.join()}`);
        await page.keyboard.press(close);
        await page.getByRole('dialog').waitFor({ state: 'detached' }).catch(() => page.locator('dialog[open]').waitFor({ state: 'detached' }));
      }
      await page.keyboard.press('Control+k');
      await page.keyboard.type('no such thing');
      await page.getByText('No command is called that').waitFor();
      await page.keyboard.press('Enter');
      assert.equal(await page.locator('dialog[open]').count(), 1);
    }));

  it('the palette that was just closed is opened by its key at once', () =>
    Stage.play(off, 'access', {}, async ({ page }) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog', { name: 'Commands' }).waitFor();
      for (let again = 0; again < 30; again++) {
        const escaped = page.keyboard.press('Escape');
        await page.keyboard.press('Control+k');
        await escaped;
        await page.keyboard.type('x');
        await page.locator('dialog[open]').getByText('No command is called that').waitFor({ timeout: 3000 });
      }
    }));

  for (const theme of themes) {
    for (const language of languages) {
      it(`the palette, a test and a link that is made look right: ${theme}, ${language}`, () =>
        Stage.play(on, 'overview', { theme, language }, async (stage) => {
          const { page, core } = stage;
          core.answers['dashboard-link'] = () => new Promise(() => undefined);
          await page.keyboard.press('Control+o');
          await page.keyboard.press('Control+k');
          await page.getByRole('option').first().waitFor();
          await page.screenshot({ path: `../artifacts/ui/palette-${theme}-${language}.png` });
          assert.deepEqual(await stage.violations(), []);
          assert.deepEqual(await stage.overflows(), []);
          await page.keyboard.press('Escape');
          await page.getByRole('button', { name: `${language === 'en' ? 'Test' : '测试'} https://mini.local` }).click();
          await page.getByText('GET /healthz: 200').waitFor();
          await stage.picture(`testing-${theme}-${language}`);
          assert.deepEqual(await stage.violations(), []);
          assert.deepEqual(await stage.overflows(), []);
        }));
    }
  }

  it('keys open what they name, from every page', () =>
    Stage.play(on, 'settings', {}, async (stage) => {
      const { page, core } = stage;
      for (const [key, title] of [['Control+r', /want to connect/], ['Control+z', 'Undo the last change?'], ['Control+p', 'Open on a phone']] as const) {
        await page.keyboard.press('Control+7');
        await page.locator('nav a[href="#/settings"][aria-current=page]').waitFor();
        await page.keyboard.press(key);
        await page.getByRole('dialog', { name: title }).waitFor();
        // What is open comes first.
        await page.keyboard.press('Control+2');
        await page.keyboard.press('Control+k');
        assert.equal(await page.getByRole('dialog').count(), 1, key);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      await page.keyboard.press('Control+f');
      await page.locator('input[type=search]:focus').waitFor();
      await page.keyboard.press('Control+Shift+p');
      await page.getByRole('dialog', { name: 'Commands' }).waitFor();
      const changed = core.requests.filter(({ method }) => /^(undo|open|close|pause|devices-approve)$/.test(method));
      assert.deepEqual(changed, [], 'a key only shows what would be done');
    }));

  it('the key that takes a change back edits text in a text field, and asks first elsewhere', () =>
    Stage.play(on, 'access', {}, async (stage) => {
      const { page } = stage;
      await stage.tabTo(/^Allow an origin/);
      await page.keyboard.type('https://a.example');
      await page.keyboard.press('Control+z');
      await stage.settled();
      assert.equal(await page.getByRole('dialog').count(), 0);
      assert.notEqual(await page.locator('#origin').inputValue(), 'https://a.example');
      await page.locator('h1').focus();
      await page.keyboard.press('Control+z');
      await page.getByRole('dialog', { name: 'Undo the last change?' }).waitFor();
      assert.equal(await stage.focused(), 'Cancel');
    }));

  it('a change is stopped by its button and by its key', async () => {
    for (const stop of ['button', 'Control+.']) {
      await Stage.play(preparing, 'overview', {}, async ({ page, core }) => {
        if (stop === 'button') await page.getByRole('button', { name: 'Stop and Put Back' }).click();
        else await page.keyboard.press(stop);
        await page.getByRole('button', { name: 'Stopping…' }).waitFor();
        assert.deepEqual((await core.hears('cancel-change')).length, 1);
        core.now({ ...off.snapshot });
        await page.getByText('Only this Mac can reach the gateway').waitFor();
      });
    }
  });

  it('a first run that is stopped says that everything is as it was, and can be begun again', () =>
    Stage.play(off, 'overview', {}, async ({ page, core }) => {
      let end!: (answer: typeof cancelled) => void;
      core.answers.open = () => new Promise((resolve) => (end = resolve));
      await page.getByRole('button', { name: 'Open to My Network…' }).click();
      await page.getByRole('button', { name: 'Review…' }).click();
      await page.getByRole('button', { name: 'Turn On' }).click();
      core.now({ actual: { state: 'preparing', step: 'configure', number: 6, of: 8 } });
      await page.getByRole('dialog').getByRole('button', { name: 'Stop and Put Back' }).click();
      assert.equal((await core.hears('cancel-change')).length, 1);
      core.tell({ event: 'progress', data: { change: 'c8', step: 'configure', number: 6, of: 8, state: 'rolled-back', text: 'Taken back.' } });
      end(cancelled);
      core.now({ ...off.snapshot });
      const sheet = page.getByRole('dialog', { name: 'It was stopped; everything is as it was' });
      await sheet.getByText('rolled back').first().waitFor();
      assert.equal(await page.getByRole('alert').count(), 0, 'it is no error');
      await sheet.getByRole('button', { name: 'Try Again' }).waitFor();
    }));

  it('the dashboard says at once that a link is made, and can be stopped', () =>
    Stage.play(on, 'overview', {}, async ({ page, core }) => {
      let end!: (answer: typeof cancelled) => void;
      core.answers['dashboard-link'] = () => new Promise((resolve) => (end = resolve));
      await page.getByRole('button', { name: 'Open Dashboard' }).click();
      await page.getByText('Opening the dashboard…').first().waitFor();
      await page.keyboard.press('Control+3');
      await page.locator('main').getByText('Opening the dashboard…').waitFor();
      await page.locator('main').getByRole('button', { name: 'Cancel', exact: true }).click();
      assert.equal((await core.hears('dashboard-link-cancel')).length, 1);
      end(cancelled);
      await page.locator('main').getByText('Opening the dashboard…').waitFor({ state: 'detached' });
      assert.equal(await page.getByRole('alert').count(), 0);
    }));

  it('an address is tested stage by stage, and says where it fails', () =>
    Stage.play({ ...gatewayDown, devices: on.devices }, 'access', {}, async ({ page, core }) => {
      await page.getByRole('button', { name: 'Test https://mini.local' }).click();
      await page.getByText('the gateway is not ready: 503 by the edge (gateway-down)').waitFor();
      await page.getByText('not tried').waitFor();
      await page.getByRole('status').getByText('https://mini.local fails at Gateway').waitFor({ state: 'attached' });
      assert.deepEqual(await core.hears('test-address'), [{ method: 'test-address', params: { address: 'https://mini.local' } }]);
    }));

  it('a device is let in for a time, and a time is changed and ended', () =>
    Stage.play(on, 'devices', {}, async ({ page, core }) => {
      await page.getByRole('combobox', { name: 'Until when Safari on iPhone may stay' }).selectOption('7 days');
      await page.getByText('Then its key is revoked').waitFor();
      await page.getByRole('button', { name: 'Approve Safari on iPhone' }).click();
      await page.getByRole('status').getByText('Safari on iPhone is approved').waitFor({ state: 'attached' });
      assert.equal((await core.hears('devices-approve'))[0]?.params.expires_in, 7 * 86_400);
      const laptop = page.getByRole('combobox', { name: 'Until when Kitchen laptop may stay' });
      await laptop.selectOption('1 hour');
      await page.getByRole('status').getByText('Kitchen laptop may stay until').waitFor({ state: 'attached' });
      assert.equal(await laptop.inputValue(), 'kept');
      await laptop.selectOption('Always');
      await page.getByRole('status').getByText('Kitchen laptop may stay', { exact: true }).waitFor({ state: 'attached' });
      assert.deepEqual((await core.hears('devices-expire', 2)).map(({ params }) => params.expires_in), [3600, null]);
    }));

  it('a device that asks again keeps the time that was set for it', async () => {
    const again = { ...parts.tablet, device_id: parts.laptop.device_id, is_repair: true };
    const until = { ...parts.laptop, expires_at: at(3600) };
    const scene = { ...on, snapshot: { ...on.snapshot, devices: { pending: 1, paired: 1 } }, devices: { pending: [again], paired: [until], expired: [] } };
    await Stage.play(scene, 'devices', {}, async ({ page, core }) => {
      await page.getByRole('button', { name: /^Approve/ }).click();
      await page.getByRole('status').getByText(/is approved/).waitFor({ state: 'attached' });
      assert.equal((await core.hears('devices-approve'))[0]?.params.expires_in, null);
      assert.deepEqual(core.asked('devices-expire'), []);
    });
  });
});
