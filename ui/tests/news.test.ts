// What the core tells is shown whenever it comes: progress, what went wrong, news, and that the core is away.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { readFile } from 'node:fs/promises';
import type { ErrorEnvelope, PendingDevice, Reply } from '$api';
import { closeBrowser, Stage } from './support/browser.js';
import { later, refusal } from './support/core.js';
import { turnOnHidden } from './support/opening.js';
import { at, away, gatewayDown, notInstalled, off, on, oneWaits, parts, paused, preparing, unconfirmed, type Scene } from './scenes/index.js';

describe('news', () => {
  after(closeBrowser);

  it('shows requests from before the window was open', () =>
    Stage.play({ ...on, traffic: [] }, 'overview', {}, async (stage) => {
      stage.core.answers.traffic = () => ({ kind: 'traffic', data: parts.traffic });
      await stage.go('activity');
      await stage.page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 4);
      assert.match(await stage.page.locator('tbody tr').first().innerText(), /14:01:11/);
    }));

  it('keeps the button busy while it installs, and shows why that failed', () =>
    Stage.play(notInstalled, 'gateway', {}, async (stage) => {
      const { page, core } = stage;
      const answer = later<Reply | ErrorEnvelope>();
      core.answers['install-gateway'] = () => answer.promise;
      await page.getByRole('button', { name: 'Install OpenClaw…' }).click();
      await stage.picture('sheet-install');
      await page.getByRole('button', { name: 'Install', exact: true }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.ok(await page.getByRole('button', { name: 'Installing…' }).isDisabled());
      core.now({ gateway: { ...core.scene.snapshot.gateway, detail: 'Downloading openclaw 2026.9.6.' } });
      await page.getByRole('status').getByText('Downloading openclaw 2026.9.6.').waitFor();
      answer.give({ code: 'gateway-not-found', title: 'OpenClaw could not be installed', because: 'npm ended with 1.', evidence: ['npm error code ENOTFOUND'] });
      await page.getByRole('alert').getByText('OpenClaw could not be installed').waitFor();
      assert.ok(await page.getByRole('button', { name: 'Install OpenClaw…' }).isEnabled());
    }));

  it('exports what the filter shows, a line each', () =>
    Stage.play(on, 'activity', {}, async ({ page }) => {
      await page.getByText('Answered by Gatehouse').click();
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export…' }).click()]);
      assert.equal(download.suggestedFilename(), 'gatehouse-activity.jsonl');
      const lines = (await readFile((await download.path())!, 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as { id: string });
      assert.deepEqual(lines.map(({ id }) => id), ['01JD5M7Q2A']);
    }));

  it('filters, freezes and goes on', () =>
    Stage.play(on, 'activity', {}, async ({ page, core }) => {
      const rows = page.locator('tbody tr');
      assert.equal(await rows.count(), 4);
      await page.getByRole('searchbox').fill('192.168.1.40');
      assert.equal(await rows.count(), 1);
      await page.getByRole('searchbox').fill('nobody');
      await page.getByText('Nothing matches').waitFor();
      await page.getByRole('searchbox').fill('');
      await page.getByRole('button', { name: 'Freeze' }).click();
      core.tell({ event: 'traffic', data: { ...parts.traffic[1]!, id: 'new', time: at(0) } });
      await page.getByText('Frozen; 1 newer request is kept back').waitFor();
      assert.equal(await rows.count(), 4);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 5);
    }));

  it('shows each step while it opens, then what failed and that it was rolled back', () =>
    Stage.play(off, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      const answer = later<Reply | ErrorEnvelope>();
      core.answers.open = () => answer.promise;
      await page.getByRole('button', { name: 'Open to My Network…' }).click();
      await stage.picture('sheet-choose');
      await page.getByRole('button', { name: 'Review…' }).click();
      await page.getByRole('dialog', { name: 'Review what will change' }).waitFor();
      const sheet = page.getByRole('dialog');
      await stage.settled();
      await stage.picture('sheet-review');
      assert.deepEqual(await stage.violations(), []);
      await page.getByRole('button', { name: 'Turn On' }).click();
      for (const progress of parts.reached('verify', 'running', 'reaching https://mini.local')) core.tell({ event: 'progress', data: progress });
      await page.getByRole('dialog', { name: 'Turning on…' }).waitFor();
      await sheet.locator('[aria-current=step]').getByText('Check from outside').waitFor();
      await page.getByRole('status').getByText('Step 7 of 8: Check from outside').waitFor({ state: 'attached' });
      assert.ok(await page.getByRole('button', { name: 'Turn On' }).isDisabled(), 'a second click cannot start it twice');
      await stage.picture('sheet-running');
      for (const step of parts.reached('verify', 'failed', 'another program answers')) core.tell({ event: 'progress', data: step.step === 'listen' ? { ...step, state: 'rolled-back' } : step });
      answer.give(refusal);
      await sheet.getByRole('alert').getByText(refusal.title).waitFor();
      await page.getByRole('dialog', { name: 'It was not turned on' }).waitFor();
      await sheet.getByText('rolled back', { exact: true }).waitFor();
      await stage.picture('sheet-failed');
      assert.deepEqual(await stage.violations(), []);
      core.answers.open = () => ({ kind: 'change', data: { id: 'c8', title: 'Open to local network', state: 'committed', warnings: [] } });
      await page.getByRole('button', { name: 'Try Again' }).click();
      await page.getByRole('dialog', { name: 'Your gateway has an HTTPS address' }).waitFor();
      assert.equal((await core.hears('open', 2)).length, 2);
    }));

  it('says on the page what went wrong after its sheet was hidden', () =>
    Stage.play(off, 'overview', {}, async (stage) => {
      const { page } = stage;
      const answer = await turnOnHidden(stage);
      answer.give(refusal);
      await page.getByRole('main').getByRole('alert').getByText(refusal.title).waitFor();
    }));

  it('takes a device off the list at once, and back where that failed', () =>
    Stage.play(on, 'devices', {}, async (stage) => {
      const { page, core } = stage;
      const answer = later<Reply | ErrorEnvelope>();
      core.answers['devices-approve'] = () => answer.promise;
      const card = page.getByRole('article', { name: 'Safari on iPhone' });
      await page.getByRole('button', { name: 'Approve Safari on iPhone' }).click();
      await card.waitFor({ state: 'detached' });
      answer.give({ code: 'widened', title: 'The device now asks for more', because: 'It also asks to approve devices.', evidence: [] });
      await card.waitFor();
      await page.getByRole('alert').getByText('The device now asks for more').waitFor();
      await stage.picture('devices-widened');
    }));

  it('shows what a device newly asks for, and approves only that', () =>
    Stage.play(oneWaits, 'overview', {}, async ({ page, core }) => {
      await page.getByRole('button', { name: 'Review 1 Device…' }).click();
      const wider: PendingDevice = { ...parts.tablet, scopes: [...parts.tablet.scopes, 'operator.admin'] };
      core.scene.devices = { pending: [wider], paired: [], expired: [] };
      core.tell({ event: 'devices', data: core.scene.devices });
      await page.getByRole('dialog').getByText('full control').waitFor();
      await page.getByRole('button', { name: 'Approve Firefox on Android' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.deepEqual((await core.hears('devices-approve'))[0]?.params, { device: wider.device_id, access: 'full', label: null, shown_scopes: wider.scopes, expires_in: null });
    }));

  it('announces a device that begins to wait', () =>
    Stage.play({ ...on, snapshot: { ...on.snapshot, devices: { pending: 0, paired: 2 } }, devices: { pending: [], paired: [], expired: [] } }, 'settings', {}, async ({ page, core }) => {
      core.now({ devices: { pending: 1, paired: 2 } });
      await page.getByRole('status').getByText('One device is waiting for approval').waitFor({ state: 'attached' });
    }));

  it('undoes over somebody else’s change only when told a second time', () =>
    Stage.play(on, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      core.answers.undo = ({ params }) => (params.force_drift ? { kind: 'change', data: { id: 'c9', title: 'Undo', state: 'undone', warnings: [] } } : { code: 'drift', title: 'Somebody changed the list since', because: 'allowedOrigins has https://other.example now.', evidence: [] });
      await stage.press('Undo…', 'Undo');
      const alert = page.getByRole('dialog').getByRole('alert').getByText('Somebody changed the list since');
      await alert.waitFor();
      await stage.picture('sheet-drift');
      // The core tells its state every few moments; the sheet stays as it is.
      core.now({ devices: { pending: 7, paired: 2 } });
      await page.locator('nav .badge').getByText('7', { exact: true }).waitFor();
      await stage.settled();
      assert.equal(await alert.count(), 1);
      assert.equal(core.asked('plan-undo').length, 1);
      await page.getByRole('button', { name: 'Undo Anyway' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.deepEqual((await core.hears('undo', 2)).map(({ params }) => params.force_drift), [false, true]);
    }));

  it('shows what undoing the newest change does, not what comes late of another, and forces none for another’s sake', () =>
    Stage.play(on, 'overview', {}, async ({ page, core }) => {
      const [plan, undo] = [later<Reply>(), later<ErrorEnvelope>()];
      const step = (title: string): Reply => ({ kind: 'plan', data: { ...parts.undoing, steps: [{ id: 'configure', title, details: [], changes: true }] } });
      core.answers['plan-undo'] = ({ params }) => (params.id === 'c7' ? plan.promise : step(`Take back ${params.id}`));
      core.answers.undo = () => undo.promise;
      const sheet = page.getByRole('dialog');
      const next = (id: string) => core.now({ last_change: { id, title: 'Open to local network', at: at(0), undo_until: at(3600) } });
      await page.getByRole('button', { name: 'Undo…' }).click();
      await core.hears('plan-undo');
      next('c8');
      await sheet.getByText('Take back c8').waitFor();
      plan.give(step('Take back c7'));
      await sheet.getByRole('button', { name: 'Undo', exact: true }).click();
      await core.hears('undo');
      assert.equal(await sheet.getByText('Take back c7').count(), 0);
      next('c9');
      await sheet.getByText('Take back c9').waitFor();
      undo.give({ code: 'drift', title: 'Somebody changed the list since', because: 'It has another entry now.', evidence: [] });
      await sheet.getByRole('alert').getByText('Somebody changed the list since').waitFor();
      assert.equal(await sheet.getByRole('button', { name: 'Undo Anyway' }).count(), 0);
    }));

  it('says in the sheet why it cannot be reviewed', () =>
    Stage.play(gatewayDown, 'overview', {}, async (stage) => {
      await stage.press('Change…', 'Review…');
      await stage.page.getByRole('dialog').getByRole('alert').getByText('The gateway does not answer').waitFor();
    }));

  it('does not offer to open where there is no gateway', () =>
    Stage.play(notInstalled, 'overview', {}, async (stage) => {
      const { page } = stage;
      await stage.picture('overview-not-installed');
      await page.getByText('OpenClaw is not installed').first().waitFor();
      assert.equal(await page.getByRole('button', { name: /Open to/ }).count(), 0);
      assert.deepEqual(await stage.violations(), []);
    }));

  it('tells that the core is away, shows nothing old as if it were so now, and goes on when it is back', () =>
    Stage.play(on, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      core.up = false;
      await page.getByRole('alert').getByText('Gatehouse is not running').waitFor();
      await page.getByText('Open to your local network').waitFor({ state: 'detached' });
      await stage.picture('overview-core-lost');
      core.up = true;
      await page.getByText('Gatehouse is not running').waitFor({ state: 'detached' });
      await page.getByText('Open to your local network').waitFor();
      await page.getByRole('button', { name: 'Review 2 Devices…' }).waitFor();
    }, { mayComplain: /502|ERR_|Failed to load/ }));

  for (const [name, scene] of Object.entries({ away, preparing, paused, unconfirmed, blocked: { ...on, snapshot: { ...on.snapshot, listener: null, actual: { state: 'blocked', cause: { code: 'port-taken', text: 'Port 443 is held by nginx (process 4711).' } } } } satisfies Scene })) {
    it(`is accessible when the core is ${name}`, () =>
      Stage.play(scene, 'overview', { theme: 'dark' }, async (stage) => {
        await stage.picture(`overview-${name}`);
        assert.deepEqual(await stage.violations(), []);
        assert.deepEqual(await stage.overflows(), []);
      }, { mayComplain: name === 'away' ? /502/ : /^$/ }));
  }

  it('moves nothing where the system asks for that', async () => {
    for (const [reducedMotion, moves] of [[true, false], [false, true]] as const) {
      await Stage.play(preparing, 'overview', { reducedMotion }, async ({ page }) => {
        const animation = await page.locator('[aria-current=step] circle').evaluate((circle) => getComputedStyle(circle).animationName);
        assert.equal(animation !== 'none', moves);
      });
    }
  });

  it('the panel for devices is accessible in both themes', async () => {
    for (const theme of ['light', 'dark'] as const) {
      await Stage.play(on, 'overview', { theme }, async (stage) => {
        await stage.page.getByRole('button', { name: 'Review 2 Devices…' }).click();
        await stage.page.getByRole('dialog').waitFor();
        for (const details of await stage.page.locator('dialog summary').all()) await details.click();
        await stage.picture(`sheet-approve-${theme}`);
        assert.deepEqual(await stage.violations(), []);
        assert.equal(await stage.page.getByRole('button', { name: 'Approve All' }).count(), 0, 'nobody gets full control by one click for all');
      });
    }
  });
});
