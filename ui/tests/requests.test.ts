// Each button asks for exactly what it says, and what comes of it is shown.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { ErrorEnvelope, Reply, Request } from '$api';
import { closeBrowser, Stage } from './support/browser.js';
import { later, refusal, type FakeCore } from './support/core.js';
import { at, certificates, gatewayDown, notInstalled, off, on, parts, paused, throughRouter, unconfirmed, unmapped, type Scene } from './scenes/index.js';

const changes = (core: FakeCore) => core.requests.filter(({ method }) => !/-list|^plan-|^history|-seen|-test|status|^traffic|^access|^always-on|^network$|^token-(status|reveal)|^trust-show|^cert-(fingerprints|pins)/.test(method));

/** Page, what is clicked one after another, and all that is asked for by that. */
type Case = { what: string; scene: Scene; page: 'overview' | 'access' | 'devices' | 'certificates' | 'gateway'; click: (string | RegExp)[]; asks: Request[] };
const laptop = parts.laptop.device_id;
const cases: Case[] = [
  { what: 'pauses for 15 minutes', scene: on, page: 'overview', click: ['Pause', '15 Minutes'], asks: [{ method: 'pause', params: { seconds: 900 } }] },
  { what: 'pauses until told', scene: on, page: 'overview', click: ['Pause', 'Until I Resume'], asks: [{ method: 'pause', params: { seconds: null } }] },
  { what: 'resumes', scene: paused, page: 'overview', click: ['Resume Access'], asks: [{ method: 'resume' }] },
  { what: 'turns off', scene: on, page: 'overview', click: ['Turn Off…', 'Turn Off HTTPS'], asks: [{ method: 'close', params: { purge: false } }] },
  { what: 'keeps a change', scene: unconfirmed, page: 'overview', click: ['Keep Change'], asks: [{ method: 'confirm' }] },
  { what: 'undoes the change that is shown', scene: on, page: 'overview', click: ['Undo…', /^Undo$/], asks: [{ method: 'undo', params: { id: 'c7', force_drift: false } }] },
  { what: 'removes an origin as it stands in the list', scene: on, page: 'access', click: ['Remove https://chat.example.com/'], asks: [{ method: 'origins-remove', params: { origin: 'https://chat.example.com/' } }] },
  { what: 'allows an origin that was refused', scene: on, page: 'access', click: ['Allow https://mini.tail1234.ts.net'], asks: [{ method: 'origins-add', params: { origin: 'https://mini.tail1234.ts.net' } }] },
  { what: 'approves exactly what was shown', scene: on, page: 'devices', click: ['Approve Safari on iPhone'], asks: [{ method: 'devices-approve', params: { device: parts.iphone.device_id, access: 'full', label: null, shown_scopes: parts.iphone.scopes, expires_in: null } }] },
  { what: 'denies', scene: on, page: 'devices', click: ['Deny openclaw-cli'], asks: [{ method: 'devices-deny', params: { device: parts.stranger.device_id } }] },
  { what: 'denies all, oldest first', scene: on, page: 'devices', click: ['Deny All'], asks: [{ method: 'devices-deny', params: { device: parts.stranger.device_id } }, { method: 'devices-deny', params: { device: parts.iphone.device_id } }] },
  { what: 'revokes and leaves the shared token alone', scene: on, page: 'devices', click: ['Revoke Kitchen laptop', /^Revoke…$/], asks: [{ method: 'devices-revoke', params: { device: laptop, rotate_token: false } }] },
  { what: 'has the router asked for its port again', scene: throughRouter, page: 'access', click: ['Ask the Router Again'], asks: [{ method: 'renew-mapping' }] },
  { what: 'starts the gateway', scene: gatewayDown, page: 'gateway', click: ['Start'], asks: [{ method: 'gateway-control', params: { action: 'start' } }] },
  { what: 'restarts the gateway after a question', scene: on, page: 'gateway', click: ['Restart…', 'Restart Gateway'], asks: [{ method: 'gateway-control', params: { action: 'restart' } }] },
  { what: 'stops the gateway after a question', scene: on, page: 'gateway', click: ['Stop…', 'Stop Gateway'], asks: [{ method: 'gateway-control', params: { action: 'stop' } }] },
  { what: 'mends how the gateway is run after a question', scene: gatewayDown, page: 'gateway', click: ['Repair…', 'Do That'], asks: [{ method: 'gateway-repair', params: { dry_run: false } }] },
  { what: 'replaces the token after it was said what that signs out', scene: on, page: 'gateway', click: ['Replace…', 'Replace Token'], asks: [{ method: 'token-change', params: { edit: 'rotate', secret: null } }] },
  { what: 'keeps the token in the keychain after a question', scene: on, page: 'gateway', click: ['Keep in the Keychain…', 'Keep There'], asks: [{ method: 'token-change', params: { edit: 'use-store' } }] },
  { what: 'shows the log', scene: on, page: 'gateway', click: ['Show Log'], asks: [{ method: 'gateway-log', params: { lines: 200 } }] },
  { what: 'installs OpenClaw only with consent', scene: notInstalled, page: 'overview', click: ['Install OpenClaw…', 'Install'], asks: [{ method: 'install-gateway' }] },
  { what: 'makes a setup code for the address that is shown', scene: on, page: 'overview', click: ['Show QR code of https://mini.local', /OpenClaw app/, 'Make a Code'], asks: [{ method: 'phone-setup', params: { address: 'https://mini.local' } }] },
  { what: 'exports the authority as PEM', scene: on, page: 'certificates', click: ['Save as PEM…'], asks: [{ method: 'cert-export-ca', params: { format: 'pem', language: 'en' } }] },
  { what: 'exports the authority as DER', scene: on, page: 'certificates', click: ['Save as CRT…'], asks: [{ method: 'cert-export-ca', params: { format: 'der', language: 'en' } }] },
  { what: 'exports a profile for an iPhone', scene: on, page: 'certificates', click: ['Save for iPhone, iPad…'], asks: [{ method: 'cert-export-ca', params: { format: 'mobileconfig', language: 'en' } }] },
  { what: 'has one place trust the authority', scene: on, page: 'certificates', click: ['Trust: System store: curl, git, Node.js'], asks: [{ method: 'trust-add', params: { place: '/usr/local/share/ca-certificates' } }] },
  { what: 'has one place trust it no more', scene: on, page: 'certificates', click: ['Untrust: Chromium and Chrome'], asks: [{ method: 'trust-remove', params: { place: '/home/ada/.pki/nssdb', stale: false } }] },
  { what: 'removes authorities that were replaced', scene: on, page: 'certificates', click: ['Remove Earlier Ones'], asks: [{ method: 'trust-remove', params: { place: null, stale: true } }] },
];

describe('requests', () => {
  after(closeBrowser);

  for (const { what, scene, page: name, click, asks } of cases) {
    it(what, () =>
      Stage.play(scene, name, {}, async ({ page, core }) => {
        for (const [step, button] of click.entries()) {
          const where = step > 0 && (await page.getByRole('dialog').count()) ? page.getByRole('dialog') : page;
          if (button instanceof RegExp && (await where.getByRole('radio', { name: button }).count())) {
            await where.getByText(button).click();
            continue;
          }
          const role = step > 0 && (await page.getByRole('menu').count()) ? 'menuitem' : 'button';
          await where.getByRole(role, { name: button, exact: typeof button === 'string' }).click();
        }
        const last = asks[asks.length - 1]!;
        await core.hears(last.method, asks.filter(({ method }) => method === last.method).length);
        assert.deepEqual(changes(core), asks);
      }));
  }

  it('shows the router’s port with its reason, and asks for the public address only when told to', () =>
    Stage.play(unmapped, 'access', {}, async (stage) => {
      const { page, core } = stage;
      const card = page.getByRole('region', { name: 'Network' });
      await card.getByText('Port 443 of the router is not open').waitFor();
      await card.getByText(/carrier-grade NAT/).waitFor();
      await card.getByText('sudo scutil --set LocalHostName NAME').waitFor();
      assert.ok(core.asked('network').every(({ params }) => !params.ask), 'nothing is sent without a wish');
      await card.getByRole('button', { name: 'Ask for the Public Address' }).click();
      await card.getByText('44.55.66.77').waitFor();
      assert.equal(core.asked('network').filter(({ params }) => params.ask).length, 1);
      await stage.picture('access-network');
      assert.deepEqual(await stage.violations(), []);
      assert.deepEqual(await stage.overflows(), []);
    }));

  it('opens to the internet through the router only where that is ticked', () =>
    Stage.play(off, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      await page.getByRole('button', { name: 'Open to My Network…' }).first().click();
      await page.getByText('The internet', { exact: true }).click();
      await page.getByLabel(/Have my router open the port/).check();
      await stage.picture('open-router');
      await page.getByRole('button', { name: 'Review…' }).click();
      const [asked] = await core.hears('plan-open');
      assert.deepEqual([asked?.params.map_port, asked?.params.scope], [0, 'internet']);
    }));

  it('shows on the overview that the router passes the port on', () =>
    Stage.play(throughRouter, 'overview', {}, async (stage) => {
      await stage.page.getByText('44.55.66.77:443 leads here').waitFor();
      await stage.picture('overview-router');
      assert.deepEqual(await stage.violations(), []);
    }));

  it('tells locked, refused, missing and replaced tokens apart, and changes nothing over them', async () => {
    for (const [state, title] of [['locked', 'The keychain that holds the token is locked'], ['denied', 'Access to the stored token was refused'], ['missing', 'The token was stored and cannot be found now'], ['replaced', 'The stored token is another one than Gatehouse stored']] as const) {
      const token = { ...parts.plainToken, place: 'store' as const, state, title, accepted: null, stored: true, fix: { text: 'Look at the keychain.', command: 'gatehouse token status' } };
      await Stage.play({ ...on, token }, 'gateway', {}, async ({ page }) => {
        const card = page.getByRole('region', { name: 'Token' });
        await card.getByText(title).waitFor();
        assert.deepEqual(await card.getByRole('button').allInnerTexts(), ['Look Again', 'Copy']);
      });
    }
  });

  it('copies the token without showing it, says how long it stays, and says what a new one signs out', () =>
    Stage.play(on, 'gateway', {}, async (stage) => {
      const { page, core } = stage;
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      const card = page.getByRole('region', { name: 'Token' });
      await card.getByRole('button', { name: 'Copy Token', exact: true }).click();
      await core.hears('token-reveal');
      await card.getByText('The token is on the clipboard for a minute').waitFor();
      await stage.picture('gateway-token-copied');
      assert.deepEqual(await stage.violations(), []);
      await page.clock.runFor(30_000);
      assert.equal(await card.getByText('The token is on the clipboard').count(), 1);
      await page.clock.runFor(31_000);
      await card.getByText('The token is on the clipboard').waitFor({ state: 'detached' });
      await card.getByRole('button', { name: 'Replace…' }).click();
      await page.getByRole('dialog').getByText('2 paired devices stay signed in').waitFor();
      assert.equal((await page.content()).includes('the-token-of-the-gateway'), false);
    }));

  it('replaces the token once, however often the gateway changes meanwhile', () =>
    Stage.play(on, 'gateway', {}, async (stage) => {
      const { page, core } = stage;
      const [look, change] = [later<Reply>(), later<Reply>()];
      const { gateway } = core.scene.snapshot;
      const seen = (title: string): Reply => ({ kind: 'token', data: { ...parts.plainToken, title } });
      const card = page.getByRole('region', { name: 'Token' });
      const replace = card.getByRole('button', { name: 'Replace…' });
      core.answers['token-change'] = () => change.promise;
      core.answers['token-status'] = () => look.promise;
      await replace.click();
      core.now({ gateway: { ...gateway, verdict: 'starting' } });
      await core.hears('token-status', 2);
      await page.getByRole('dialog').getByRole('button', { name: 'Replace Token' }).click();
      await core.hears('token-change');
      look.give(seen('Looked before'));
      await card.getByText('Looked before').waitFor();
      assert.ok(await replace.isDisabled(), 'a look that was under way leaves the change alone');
      core.answers['token-status'] = () => seen('Looked meanwhile');
      core.now({ gateway });
      await card.getByText('Looked meanwhile').waitFor();
      assert.ok(await replace.isDisabled(), 'so does one that begins meanwhile');
      core.answers['token-status'] = () => seen('Looked after');
      change.give({ kind: 'change', data: { id: 'c8', title: 'Replace the token', state: 'committed', warnings: [] } });
      await card.getByText('Looked after').waitFor();
      await stage.settled();
      assert.ok(await replace.isEnabled());
    }));

  it('lists certificates by the date of renewal, renews one and says why that failed', () =>
    Stage.play(certificates, 'certificates', {}, async ({ page, core }) => {
      const list = page.getByRole('region', { name: 'All certificates' });
      assert.deepEqual((await list.getByRole('heading', { level: 3 }).allInnerTexts()).map((text) => text.split(',')[0]), ['ai.example.com', 'chat.example.com', 'localhost', 'office.example.com']);
      assert.ok(await list.getByRole('button', { name: 'Renew Now: chat.example.com' }).isDisabled(), 'an order is under way');
      assert.equal(await list.getByRole('meter', { name: /ai\.example/ }).getAttribute('aria-valuenow'), '22');
      const answer = later<Reply | ErrorEnvelope>();
      core.answers['acme-renew'] = () => answer.promise;
      const renew = list.getByRole('button', { name: 'Renew Now: ai.example.com' });
      await renew.click();
      assert.ok(await renew.isDisabled());
      answer.give(refusal);
      await page.getByRole('alert').getByText(refusal.title).waitFor();
      assert.ok(await renew.isEnabled());
      assert.deepEqual(await core.hears('acme-renew'), [{ method: 'acme-renew', params: { names: ['ai.example.com'], force: true } }]);
    }));

  it('shows the attempts, or that there was none', () =>
    Stage.play(certificates, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      core.answers['acme-log'] = () => ({ kind: 'acme-log', data: parts.attempts });
      await page.getByRole('button', { name: 'Log…' }).click();
      await page.getByRole('dialog').getByText('Got a certificate').waitFor();
      await stage.picture('sheet-acme-log');
      assert.deepEqual(await stage.violations(), []);
      await page.keyboard.press('Escape');
      core.answers['acme-log'] = () => ({ kind: 'acme-log', data: [] });
      await page.getByRole('button', { name: 'Log…' }).click();
      await page.getByRole('dialog').getByText('No attempt yet').waitFor();
    }));

  it('names several hosts', () =>
    Stage.play(off, 'overview', {}, async ({ page, core }) => {
      await page.getByRole('button', { name: 'Open to My Network…' }).click();
      await page.getByRole('radio', { name: /The internet/ }).check();
      await page.getByRole('textbox', { name: 'Additional names' }).fill('ai.example.com, chat.example.com');
      await page.getByRole('button', { name: 'Review…' }).click();
      await page.getByRole('dialog', { name: 'Review what will change' }).waitFor();
      assert.deepEqual((await core.hears('plan-open'))[0]?.params.hosts, ['ai.example.com', 'chat.example.com']);
      assert.equal((await core.hears('plan-open'))[0]?.params.scope, 'internet');
    }));

  it('renames', () =>
    Stage.play(on, 'devices', {}, async ({ page, core }) => {
      await page.getByRole('button', { name: 'Rename Kitchen laptop' }).click();
      await page.getByRole('textbox', { name: 'Name' }).last().fill('  Sofa  ');
      await page.getByRole('button', { name: 'Rename', exact: true }).click();
      await page.getByRole('cell', { name: /^Sofa/ }).waitFor();
      assert.deepEqual(await core.hears('devices-rename'), [{ method: 'devices-rename', params: { device: laptop, label: 'Sofa' } }]);
    }));

  it('copies the address and says so', () =>
    Stage.play(on, 'overview', {}, async ({ page }) => {
      await page.getByRole('button', { name: 'Copy https://mini.local', exact: true }).click();
      await page.getByRole('status').getByText('https://mini.local is on the clipboard').waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'https://mini.local');
    }));

  it('puts nothing but the address into the QR code', () =>
    Stage.play(on, 'overview', {}, async (stage) => {
      await stage.page.getByRole('button', { name: 'Show QR code of https://mini.local' }).click();
      await stage.page.getByRole('img', { name: 'QR code for https://mini.local' }).waitFor();
      await stage.picture('sheet-phone');
    }));

  it('opens the dashboard with a link that works once, and shows it nowhere', () =>
    Stage.play(on, 'overview', {}, async ({ page, core }) => {
      await page.evaluate(() => (globalThis.open = (url) => (((globalThis as unknown as { opened: unknown }).opened = url), null)));
      await page.getByRole('button', { name: 'Open Dashboard' }).click();
      await page.waitForFunction(() => 'opened' in globalThis);
      assert.equal(await page.evaluate(() => (globalThis as unknown as { opened: unknown }).opened), 'https://localhost/#bootstrapToken=only-once');
      assert.deepEqual(await core.hears('dashboard-link'), [{ method: 'dashboard-link', params: { address: null } }]);
      assert.doesNotMatch(await page.content(), /only-once/);
    }));

  it('follows a setup code until the app is connected', () =>
    Stage.play(on, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      await page.getByRole('button', { name: 'Connect a Phone…' }).click();
      await page.getByRole('dialog').getByText('OpenClaw app', { exact: true }).click();
      await page.getByRole('button', { name: 'Make a Code' }).click();
      await page.getByRole('img', { name: 'QR code with the setup code' }).waitFor();
      await stage.picture('sheet-phone-app');
      assert.deepEqual(await stage.violations(), []);
      core.scene.setupProgress = { done: true, device_id: 'd', name: 'Ada’s iPhone' };
      await page.getByRole('dialog').getByText('Ada’s iPhone is connected').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.doesNotMatch(await page.content(), /SETUP-1234/, 'the code is forgotten with its sheet');
    }));

  it('shows what a place refuses, and what to type, and says aloud what was done', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const refused = parts.trust.places.map((place) => place.kind === 'system-store' ? { ...place, because: "Only root may change the system's store.", fix: { text: 'Run this in a terminal.', command: 'sudo update-ca-certificates' } } : place);
      core.answers['trust-add'] = () => ({ kind: 'trust-places', data: { ...parts.trust, places: refused } });
      await page.getByRole('button', { name: 'Trust: System store: curl, git, Node.js' }).click();
      await page.getByText('sudo update-ca-certificates', { exact: true }).waitFor();
      await page.getByRole('status').getByText("Only root may change").waitFor({ state: 'attached' });
      await stage.picture('certificates-needs-root');
      assert.deepEqual(await stage.violations(), []);
      delete core.answers['trust-add'];
      await page.getByRole('button', { name: 'Trust: Firefox (x7k2.default-release)' }).press('Enter');
      await page.getByRole('button', { name: 'Untrust: Firefox (x7k2.default-release)' }).waitFor();
      await page.getByRole('status').getByText('Firefox (x7k2.default-release) now trusts the authority').waitFor({ state: 'attached' });
    }));

  it('shows a fingerprint in words and as a QR code, and which app knows another certificate', () =>
    Stage.play(on, 'certificates', { theme: 'dark' }, async (stage) => {
      const { page } = stage;
      assert.equal(await page.getByText('drumbeat equation afflict confidence cement belowground optic Capricorn', { exact: true }).count(), 2);
      await page.getByRole('button', { name: /Show QR Code: the fingerprint of the authority/ }).click();
      await page.getByRole('img', { name: 'QR code of the fingerprint' }).waitFor();
      const tablet = page.getByRole('listitem').filter({ hasText: 'Kitchen tablet' });
      await tablet.getByText('Knows an earlier certificate').waitFor();
      assert.equal(await tablet.getByText(parts.SHA).count(), 1);
      await stage.picture('certificates-fingerprints');
      assert.deepEqual(await stage.violations(), []);
      assert.deepEqual(await stage.overflows(), []);
    }));

  it('says why it cannot look for trust, and where nothing is kept', async () => {
    await Stage.play(gatewayDown, 'certificates', {}, async ({ page }) => {
      await page.getByRole('alert').getByText('The request was not finished').first().waitFor();
    });
    await Stage.play({ ...on, trust: { ca_name: null, places: [] }, pins: off.pins }, 'certificates', {}, async (stage) => {
      await stage.page.getByText('No place for authorities was found').waitFor();
      await stage.page.getByText('No app remembers it').waitFor();
      await stage.picture('certificates-empty');
      assert.deepEqual(await stage.violations(), []);
    });
  });

  it('turns each step of trust green when the phone does it, and closes the page with the sheet', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      await page.getByRole('button', { name: 'Send to a Phone…' }).click();
      assert.deepEqual(core.asked('trust-invite'), [], 'nothing opens before it is asked for');
      await page.getByRole('button', { name: 'Open the Page' }).click();
      await page.getByRole('img', { name: /QR code for http:/ }).waitFor();
      const green = page.getByRole('dialog').locator('ol .ok');
      assert.equal(await green.count(), 0);
      core.scene.inviteProgress = { open: true, visitors: ['192.168.1.34'], fetched: ['192.168.1.34'] };
      await green.nth(1).waitFor();
      assert.equal(await green.count(), 2);
      core.tell({ event: 'traffic', data: { ...parts.traffic[1]!, id: 'trusted', time: at(1), client: '192.168.1.34' } });
      await green.nth(2).waitFor();
      await stage.picture('sheet-trust');
      assert.deepEqual(await stage.violations(), []);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.equal((await core.hears('trust-invite-end')).length, 1);
    }));
});
