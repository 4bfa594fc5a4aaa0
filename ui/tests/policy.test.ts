// The window as the app shows it: Tauri's door in place of the web's, and exactly the app's own security policy.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { door, type Invoke } from './support/app.js';
import { closeBrowser, languages, pages, Stage, themes } from './support/browser.js';
import { policy, UI } from './support/core.js';
import { away, on, type Scene } from './scenes/index.js';

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

  it('lets the app be replaced and ended where its core does not start, or keeps one waiting', async () => {
    for (const [what, scene] of Object.entries({ down: away, starting: on })) {
      const invoked: Invoke[] = [];
      await Stage.play(scene, 'overview', {}, async (stage) => {
        const { page } = stage;
        await page.getByText(what === 'down' ? 'Gatehouse is not running' : 'Connecting to Gatehouse…').waitFor();
        await page.getByRole('region', { name: 'Updates' }).getByRole('button', { name: 'Look for a New Version' }).click();
        await page.getByText('This is the newest version.').waitFor();
        await page.getByRole('button', { name: 'Quit Gatehouse' }).click();
        await stage.settled();
        assert.deepEqual(invoked.filter(({ command }) => /^(look_for_update|quit)$/.test(command)).map(({ command }) => command), ['look_for_update', 'quit']);
      }, { csp: policy(false), prepare: (page, core) => door(page, core, invoked, what === 'down' ? {} : { follow: () => ({ ok: null }) }) });
    }
  });

  for (const theme of themes) {
    for (const language of languages) {
      it(`without a core looks right: ${theme}, ${language}`, () =>
        Stage.play(away, 'overview', { theme, language, size: { width: 760, height: 520 } }, async (stage) => {
          await stage.page.getByRole('button', { name: /^(Quit Gatehouse|退出 Gatehouse)$/ }).waitFor();
          await stage.picture(`app-without-core-${theme}-${language}`);
          assert.deepEqual(await stage.violations(), []);
          assert.deepEqual(await stage.overflows(), []);
        }, { csp: policy(false), prepare: (page, core) => door(page, core, []) }));
    }
  }

  it('tells the app’s version from that of a core that stayed behind', async () => {
    const { version } = JSON.parse(await readFile(join(UI, 'package.json'), 'utf8')) as { version: string };
    const about = async (running: string) => {
      let told: string[] = [];
      const scene: Scene = { ...on, snapshot: { ...on.snapshot, version: running } };
      await Stage.play(scene, 'settings', {}, async (stage) => {
        const lines = stage.page.getByRole('region', { name: 'About' });
        told = [...(await lines.locator('dt').allInnerTexts()).slice(0, 2), ...(await lines.locator('dd').allInnerTexts()).slice(0, 2)];
        await stage.picture(`settings-about-${running}`);
        assert.deepEqual(await stage.violations(), []);
      }, { csp: policy(false), prepare: (page, core) => door(page, core, []) });
      return told;
    };
    assert.deepEqual(await about('0.0.9'), ['This app', 'Background core', version, '0.0.9, process 4711']);
    assert.deepEqual((await about(version)).filter((_, line) => line % 2 === 0), ['Gatehouse', `${version}, process 4711`]);
  });

  it('is built for the version of the program that carries the window', async () => {
    const [program, packaged] = await Promise.all([readFile(join(UI, '..', 'Cargo.toml'), 'utf8'), readFile(join(UI, 'package.json'), 'utf8')]);
    assert.equal((JSON.parse(packaged) as { version: string }).version, /\[workspace\.package\][^[]*?\nversion = "([^"]*)"/.exec(program)?.[1], 'ui/package.json and Cargo.toml are raised together');
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
