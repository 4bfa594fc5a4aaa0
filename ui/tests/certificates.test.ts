// Public certificates, certificates of the user, and the calendar: every step by mouse and by key, and how each looks.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Locator } from 'playwright-core';
import type { AcmeSetup, ErrorEnvelope, Reply } from '$api';
import { closeBrowser, languages, Stage, themes } from './support/browser.js';
import { later } from './support/core.js';
import { at, certificates, DAY, gatewayDown, off, on, parts, type Scene } from './scenes/index.js';

const refused: ErrorEnvelope = { code: 'certificate', title: 'There is no certificate for home.example.org', because: "Let's Encrypt: Timeout during connect.", evidence: [], fix: { text: 'Forward port 443 on the router.', command: 'gatehouse cert acme test' } };
const nothing: AcmeSetup = { names: [], email: null, agree_terms: false, authority: null, only_authority: false, roots: null, external_key_id: null, external_key: null, ways: [], dns: null, dns_secret: null, reuse_key: null };
const ready: Scene = { ...on, acme: parts.acmeReady };
const open = async ({ page }: Stage, button: string | RegExp = 'Get a Public Certificate…') => {
  await page.getByRole('button', { name: button }).click();
  const sheet = page.getByRole('dialog');
  await sheet.locator('input').first().waitFor({ state: 'attached' });
  return sheet;
};

/** Fills in who is to be named, agrees to the terms where that is still to be done, and has it checked. */
const check = async (sheet: Locator, names = 'home.example.org') => {
  await sheet.getByRole('textbox', { name: 'Names or addresses' }).fill(names);
  const terms = sheet.locator('input[type=checkbox]:enabled');
  await sheet.getByText('You agreed to the terms').or(terms).first().waitFor();
  if (await terms.count()) await terms.check();
  await sheet.getByRole('button', { name: 'Check…' }).click();
};
/** The same, up to a check that hinders nothing. */
const checked = async (sheet: Locator) => {
  await check(sheet);
  await sheet.getByText('Nothing hinders').waitFor();
};

describe('public certificates', () => {
  after(closeBrowser);

  it('nothing is sent before everything is said, and the first gap has the focus', () =>
    Stage.play(off, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const sheet = await open(stage);
      await sheet.getByRole('link', { name: "Read the terms of Let's Encrypt" }).waitFor();
      await sheet.getByRole('button', { name: 'Check…' }).click();
      await sheet.getByText('Give a name or an address.').waitFor();
      await sheet.getByText('Without your agreement no certificate can be asked for.').waitFor();
      assert.equal(await stage.focused(), 'Names or addresses');
      assert.equal(await sheet.getByRole('textbox', { name: 'Names or addresses' }).getAttribute('aria-invalid'), 'true');
      await sheet.getByRole('combobox', { name: 'Authority' }).selectOption('ZeroSSL');
      await sheet.getByText('ZeroSSL wants an account of its web site').waitFor();
      await sheet.getByRole('button', { name: 'Check…' }).click();
      await sheet.getByText('Give the key identifier.').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.deepEqual(core.asked('acme-setup'), []);
    }));

  it('by keys from the palette: terms, check, review, certificate', () =>
    Stage.play(on, 'settings', {}, async (stage) => {
      const { page, core } = stage;
      const press = (key: string) => page.keyboard.press(key);
      await press('Control+k');
      await page.keyboard.type('public cert');
      await press('Enter');
      await page.getByRole('dialog', { name: 'Get a public certificate' }).waitFor();
      await page.getByRole('link', { name: "Read the terms of Let's Encrypt" }).waitFor();
      assert.equal(await stage.focused(), 'Names or addresses');
      await page.keyboard.type('https://Home.Example.org/, 203.0.113.7');
      await stage.tabTo(/^E-mail/);
      await page.keyboard.type('ada@example.org');
      await stage.tabTo(/^I have read the terms/);
      await press('Space');
      await stage.tabTo(/^Check/);
      await press('Enter');
      await page.getByRole('dialog', { name: 'Before an attempt is made' }).waitFor();
      assert.ok(await page.evaluate(() => document.activeElement !== document.body), 'the focus goes along');
      assert.deepEqual(await core.hears('acme-setup'), [{ method: 'acme-setup', params: { ...nothing, email: 'ada@example.org', agree_terms: true, authority: 'letsencrypt' } }]);
      assert.deepEqual(await core.hears('acme-preflight'), [{ method: 'acme-preflight', params: { names: ['home.example.org', '203.0.113.7'], open: 'internet' } }]);
      await page.getByText('This opens this computer to everyone on the internet as home.example.org, 203.0.113.7.').waitFor();
      await page.getByText('It is open to other people now: Devices on my network.').waitFor();
      assert.deepEqual(core.asked('plan-open'), []);
      await stage.tabTo(/^Review/);
      await press('Enter');
      await page.getByRole('dialog', { name: 'Review what will change' }).waitFor();
      assert.deepEqual(core.asked('open'), [], 'nothing is opened before it is reviewed');
      await stage.tabTo(/^Get Certificate/);
      await press('Enter');
      await page.getByRole('dialog', { name: 'The certificate is here' }).waitFor();
      const params = { scope: 'internet' as const, hosts: ['home.example.org', '203.0.113.7'], port: null, redirect_port: null, only: [], confirm_within: null };
      assert.deepEqual(await core.hears('plan-open'), [{ method: 'plan-open', params }]);
      assert.deepEqual(await core.hears('open'), [{ method: 'open', params }]);
      await press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }));

  it('what would fail is said with what to do, and goes no further until it is put right', () =>
    Stage.play({ ...ready, preflight: parts.hindered }, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const sheet = await open(stage);
      await check(sheet);
      await sheet.getByText('An attempt would fail').waitFor();
      await sheet.getByText('Add a CAA record: 0 issue "letsencrypt.org".').waitFor();
      assert.ok(await sheet.getByRole('button', { name: 'Review…' }).isDisabled());
      assert.deepEqual(core.asked('acme-setup'), [], 'what is set up already is not set up again');
      core.scene.preflight = parts.passed;
      await sheet.getByRole('button', { name: 'Check Again' }).click();
      await sheet.getByText('Nothing hinders').waitFor();
      await page.getByRole('status').getByText('Nothing hinders').waitFor({ state: 'attached' });
      assert.ok(await sheet.getByRole('button', { name: 'Review…' }).isEnabled());
    }));

  it('a dry run can be waited for, left, and fails with its own remedy', () =>
    Stage.play(ready, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const sheet = await open(stage);
      await checked(sheet);
      const answer = later<Reply | ErrorEnvelope>();
      core.answers['acme-test'] = () => answer.promise;
      await sheet.getByRole('button', { name: 'Test First' }).click();
      await sheet.getByRole('progressbar', { name: /A dry run/ }).waitFor();
      assert.deepEqual(await core.hears('acme-test'), [{ method: 'acme-test', params: { names: ['home.example.org'] } }]);
      await sheet.getByRole('button', { name: 'Stop Waiting' }).click();
      await page.getByRole('dialog', { name: 'Get a public certificate' }).waitFor();
      answer.give({ kind: 'acme-test', data: parts.dryRun });
      await sheet.getByRole('button', { name: 'Check…' }).click();
      await sheet.getByText('Nothing hinders').waitFor();
      assert.equal(await sheet.getByText('The dry run works').count(), 0, 'nobody waits for that any more');
      core.answers['acme-test'] = () => ({ kind: 'acme-test', data: { ...parts.dryRun, works: false, error: refused } });
      await sheet.getByRole('button', { name: 'Test First' }).click();
      await sheet.getByText('The dry run fails').waitFor();
      await sheet.getByText('Forward port 443 on the router.').waitFor();
    }));

  it('a dry run is offered only where it can be made', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const sheet = await open(stage);
      await check(sheet);
      await sheet.getByText('A dry run needs port 443 or 80').waitFor();
      assert.ok(await sheet.getByRole('button', { name: 'Test First' }).isDisabled());
      await sheet.getByRole('button', { name: 'Back' }).click();
      await sheet.getByRole('combobox', { name: 'Authority' }).selectOption('ZeroSSL');
      await sheet.getByRole('textbox', { name: 'Key identifier' }).fill('kid-1');
      await sheet.getByLabel('HMAC key').fill('aG1hYw');
      await sheet.getByText('I have read the terms of ZeroSSL').waitFor();
      await sheet.getByRole('checkbox').check();
      await sheet.getByRole('button', { name: 'Check…' }).click();
      await sheet.getByText('ZeroSSL has no staging').waitFor();
      assert.equal(await sheet.getByRole('button', { name: 'Test First' }).count(), 0);
      const asked = (await stage.core.hears('acme-setup', 2))[1]?.params;
      assert.deepEqual(asked, { ...nothing, agree_terms: true, authority: 'zerossl', external_key_id: 'kid-1', external_key: 'aG1hYw' });
    }));

  it('a secret is concealed, sent once, and forgotten', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const sheet = await open(stage);
      await sheet.getByRole('textbox', { name: 'Names or addresses' }).fill('home.example.org');
      await sheet.getByRole('combobox', { name: 'How the name is proven' }).selectOption('DNS record');
      const token = sheet.getByLabel('API token');
      assert.equal(await token.getAttribute('type'), 'password');
      await sheet.getByRole('checkbox').check();
      await sheet.getByRole('button', { name: 'Check…' }).click();
      await sheet.getByText('Give the secret.').waitFor();
      await token.fill('very-secret-token');
      await sheet.getByRole('button', { name: 'Check…' }).click();
      const [asked] = await core.hears('acme-setup');
      assert.deepEqual([asked?.params.ways, asked?.params.dns, asked?.params.dns_secret], [['dns-01'], { provider: 'cloudflare' }, 'very-secret-token']);
      await sheet.getByText('Nothing hinders').waitFor();
      await sheet.getByRole('button', { name: 'Back' }).click();
      await sheet.getByText('One is kept already.').waitFor();
      assert.equal(await token.inputValue(), '');
      await sheet.getByRole('combobox', { name: 'How the name is proven' }).selectOption('Automatic');
      await sheet.getByRole('button', { name: 'Check…' }).click();
      const again = (await core.hears('acme-setup', 2))[1]?.params;
      assert.deepEqual(again, { ...nothing, ways: ['tls-alpn-01', 'http-01', 'dns-01'] });
      assert.doesNotMatch(await page.content(), /very-secret-token/);
      assert.doesNotMatch(page.url(), /secret/);
    }));

  it('shows the order while it opens, stops it, and names the cause of a failure', () =>
    Stage.play(ready, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const sheet = await open(stage);
      await check(sheet);
      await sheet.getByRole('button', { name: 'Review…' }).click();
      let answer = later<Reply | ErrorEnvelope>();
      core.answers.open = () => answer.promise;
      await sheet.getByRole('button', { name: 'Get Certificate' }).click();
      await page.getByRole('dialog', { name: 'Getting the certificate…' }).waitFor();
      core.now({ certificates: [{ id: 'acme:home', kind: 'acme', state: 'missing', names: ['home.example.org'], stage: 'proving' }] });
      await sheet.getByText('home.example.org: Proving the names').waitFor();
      await stage.picture('sheet-acme-running');
      assert.deepEqual(await stage.violations(), []);
      await sheet.getByRole('button', { name: 'Stop and Put Back' }).click();
      assert.equal((await core.hears('cancel-change')).length, 1);
      answer.give({ code: 'cancelled', title: 'Stopped', because: 'It was stopped.', evidence: [] });
      await page.getByRole('dialog', { name: 'It was stopped; everything is as it was' }).waitFor();
      answer = later();
      await sheet.getByRole('button', { name: 'Try Again' }).click();
      answer.give(refused);
      await page.getByRole('dialog', { name: 'There is no certificate' }).waitFor();
      await sheet.getByRole('alert').getByText('Forward port 443 on the router.').waitFor();
      await stage.picture('sheet-acme-failed');
      assert.deepEqual(await stage.violations(), []);
      await sheet.getByRole('button', { name: 'Log…' }).click();
      await page.getByRole('dialog', { name: 'Attempts to get public certificates' }).waitFor();
    }));

  it('a wildcard is asked for without opening anything', () =>
    Stage.play(ready, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const sheet = await open(stage);
      await check(sheet, '*.example.org');
      await sheet.getByText('A wildcard is no address').waitFor();
      await sheet.getByRole('radio', { name: /Only get the certificate/ }).check();
      await sheet.getByRole('button', { name: 'Check…' }).click();
      assert.deepEqual((await core.hears('acme-preflight'))[0]?.params, { names: ['*.example.org'], open: null });
      const answer = later<Reply | ErrorEnvelope>();
      core.answers['acme-renew'] = () => answer.promise;
      await sheet.getByRole('button', { name: 'Get Certificate' }).click();
      assert.deepEqual(await core.hears('acme-renew'), [{ method: 'acme-renew', params: { names: ['*.example.org'], force: false } }]);
      core.now({ certificates: [{ id: 'acme:w', kind: 'acme', state: 'missing', names: ['*.example.org'], stage: 'signing' }] });
      await sheet.getByText('Being signed').waitFor();
      await stage.picture('sheet-acme-getting');
      assert.deepEqual(await stage.violations(), []);
      answer.give({ kind: 'certificates', data: [{ id: 'acme:w', kind: 'acme', state: 'valid', names: ['*.example.org'], not_after: at(90 * DAY) }] });
      await sheet.getByText('It is valid until').waitFor();
      await page.getByRole('dialog', { name: 'The certificate is here' }).waitFor();
      assert.deepEqual(core.asked('acme-setup'), [{ method: 'acme-setup', params: { ...nothing, names: ['*.example.org'] } }]);
      assert.deepEqual(core.asked('open'), []);
    }));

  it('an authority that does not answer says why, and is asked again', () => {
    const unreachable: ErrorEnvelope = { ...refused, title: "Let's Encrypt does not answer", fix: { text: "Check this machine's internet connection." } };
    return Stage.play({ ...on, directory: unreachable }, 'certificates', {}, async (stage) => {
      const sheet = await open(stage);
      await sheet.getByRole('alert').getByText("Check this machine's internet connection.").waitFor();
      assert.ok(await sheet.getByRole('checkbox').isDisabled());
      stage.core.scene.directory = parts.directory;
      await sheet.getByRole('button', { name: 'Ask Again' }).click();
      await sheet.getByRole('link', { name: "Read the terms of Let's Encrypt" }).waitFor();
      assert.ok(await sheet.getByRole('checkbox').isEnabled());
    });
  });

  it('says why it cannot begin', () =>
    Stage.play(gatewayDown, 'certificates', {}, async ({ page }) => {
      await page.getByRole('button', { name: 'Get a Public Certificate…' }).click();
      await page.getByRole('dialog').getByRole('alert').getByText('The gateway does not answer').waitFor();
    }));

  for (const theme of themes) {
    for (const language of languages) {
      it(`looks right at every step: ${theme}, ${language}`, () =>
        Stage.play({ ...on, preflight: parts.hindered }, 'certificates', { theme, language, size: { width: 760, height: 900 } }, async (stage) => {
          const { page, core } = stage;
          const look = async (name: string) => {
            await stage.settled();
            await stage.picture(`sheet-acme-${name}-${theme}-${language}`);
            assert.deepEqual(await stage.violations(), [], name);
            assert.deepEqual(await stage.overflows(), [], name);
          };
          const next = async (key: string) => page.getByRole('dialog').locator('footer button.primary').click().then(() => page.getByRole('dialog').getByText(key).first().waitFor());
          const sheet = await open(stage, /^(Get a Public Certificate|获取公共证书)/);
          await sheet.getByRole('link').waitFor();
          await look('form');
          await sheet.locator('footer button.primary').click();
          await sheet.locator('.fault').first().waitFor();
          await sheet.getByRole('combobox').nth(0).selectOption('dns-01');
          await sheet.getByRole('combobox').nth(1).selectOption('rfc2136');
          await sheet.getByRole('combobox').last().selectOption('zerossl');
          await sheet.getByText(/kid|EAB/).waitFor();
          await look('dns');
          await sheet.getByRole('combobox').last().selectOption('letsencrypt');
          await sheet.getByRole('combobox').nth(0).selectOption('automatic');
          await sheet.getByRole('textbox').first().fill('home.example.org');
          await sheet.getByRole('link').waitFor();
          await sheet.getByRole('checkbox').check();
          await next('0 issue "letsencrypt.org"');
          await look('hindered');
          core.scene.preflight = parts.passed;
          await sheet.getByRole('button', { name: /^(Check Again|重新检查)$/ }).click();
          await sheet.getByText('203.0.113.7 is an address').waitFor();
          await look('check');
          await next('https://192.168.1.20');
          await look('review');
        }));
    }
  }
});

describe('certificates of the user', () => {
  after(closeBrowser);
  const pem = (name: string, mimeType = 'application/x-pem-file') => ({ name, mimeType, buffer: Buffer.from(`-----${name}-----`) });
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  it('are sent as they are, and what should be known of them is shown', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const sheet = await open(stage, 'Import a Certificate…');
      await sheet.getByRole('button', { name: 'Import', exact: true }).click();
      await sheet.getByText('Choose the files, or paste the text.').waitFor();
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), sheet.getByRole('button', { name: 'Choose Files…' }).click()]);
      assert.ok(chooser.isMultiple());
      await chooser.setFiles([pem('chain.pem'), pem('key.pem'), pem('notes.txt')]);
      await sheet.getByRole('button', { name: 'Leave out notes.txt' }).click();
      await sheet.getByLabel('Password', { exact: true }).fill('open sesame');
      core.answers['cert-import'] = () => ({ kind: 'change', data: { id: 'c8', title: 'Serve a certificate of yours for home.example.org', state: 'committed', warnings: ['The certificates were not in order; they are served in order.'] } });
      await sheet.getByRole('button', { name: 'Import', exact: true }).click();
      await page.getByRole('dialog', { name: 'The certificate is served' }).waitFor();
      await sheet.getByText('The certificates were not in order').waitFor();
      const files = [{ name: 'chain.pem', content: base64('-----chain.pem-----') }, { name: 'key.pem', content: base64('-----key.pem-----') }];
      assert.deepEqual(await core.hears('cert-import'), [{ method: 'cert-import', params: { slot: null, from: { from: 'content', files, password: 'open sesame' } } }]);
      await stage.picture('sheet-import-done');
      assert.deepEqual(await stage.violations(), []);
      await sheet.getByRole('button', { name: 'Import Another…' }).click();
      assert.equal(await sheet.getByLabel('Password', { exact: true }).inputValue(), '');
      assert.equal(await sheet.getByText('chain.pem').count(), 0);
    }));

  it('may be dropped or pasted', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const sheet = await open(stage, 'Import a Certificate…');
      await sheet.getByRole('group', { name: 'Certificate, chain and key' }).evaluate((zone) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(['dropped'], 'bundle.p12'));
        zone.dispatchEvent(new DragEvent('dragover', { dataTransfer: transfer, bubbles: true, cancelable: true }));
        zone.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
      });
      await sheet.getByText('bundle.p12').waitFor();
      await sheet.getByText('Paste text instead').click();
      await sheet.getByRole('textbox', { name: 'Certificate, chain and key in PEM' }).fill('-----BEGIN');
      await sheet.getByText('More', { exact: true }).click();
      await sheet.getByRole('textbox', { name: 'What to call it' }).fill('office');
      await sheet.getByRole('button', { name: 'Import', exact: true }).click();
      const [asked] = await core.hears('cert-import');
      assert.deepEqual(asked?.params, { slot: 'office', from: { from: 'content', files: [{ name: 'bundle.p12', content: base64('dropped') }, { name: 'pasted text', content: base64('-----BEGIN') }], password: null } });
      const kept = await page.evaluate(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(['x'], 'x.pem'));
        return document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
      });
      assert.equal(kept, false, 'a file that is dropped beside does not take the place of the window');
    }));

  it('that do not fit say why; files are watched by their whole path, by keys', () =>
    Stage.play(on, 'settings', {}, async (stage) => {
      const { page, core } = stage;
      await page.keyboard.press('Control+k');
      await page.keyboard.type('import');
      await page.keyboard.press('Enter');
      const sheet = page.getByRole('dialog', { name: 'Import a certificate' });
      await sheet.waitFor();
      await stage.tabTo(/^Keep a Copy/);
      await page.keyboard.press('ArrowRight');
      await stage.tabTo(/^File with the certificate/);
      await page.keyboard.type('fullchain.pem');
      await stage.tabTo(/^Import$/);
      await page.keyboard.press('Enter');
      await sheet.getByText('Give the whole path.').waitFor();
      assert.equal(await stage.focused(), 'File with the certificate');
      await page.keyboard.press('Control+a');
      await page.keyboard.type('/etc/ssl/home/fullchain.pem');
      core.answers['cert-import'] = () => ({ code: 'certificate', title: 'The certificate cannot be served', because: 'The private key belongs to none of the certificates (CN=home).', evidence: [], fix: { text: 'Give the key with which this certificate was requested.' } });
      await stage.tabTo(/^Import$/);
      await page.keyboard.press('Enter');
      await sheet.getByRole('alert').getByText('The private key belongs to none').waitFor();
      await sheet.getByRole('alert').getByText('Give the key with which').waitFor();
      assert.deepEqual((await core.hears('cert-import'))[0]?.params.from, { from: 'files', certificate: '/etc/ssl/home/fullchain.pem', key: null, password_file: null });
    }));

  it('are imported step by step, and that can be stopped', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const sheet = await open(stage, 'Import a Certificate…');
      await sheet.locator('input[type=file]').setInputFiles(pem('all.pem'));
      const answer = later<Reply | ErrorEnvelope>();
      core.answers['cert-import'] = () => answer.promise;
      await sheet.getByRole('button', { name: 'Import', exact: true }).click();
      for (const progress of parts.reached('verify')) core.tell({ event: 'progress', data: progress });
      await sheet.locator('[aria-current=step]').getByText('Check from outside').waitFor();
      await sheet.getByRole('button', { name: 'Stop and Put Back' }).click();
      await core.hears('cancel-change');
      answer.give({ code: 'cancelled', title: 'Stopped', because: 'It was stopped.', evidence: [] });
      await sheet.getByText('Stopped. Everything is as it was.').waitFor();
      assert.equal(await page.getByRole('alert').count(), 0, 'it is no error');
      await sheet.getByText('all.pem').waitFor();
    }));

  it('are taken away after a question, and put back', () =>
    Stage.play(certificates, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      await page.getByRole('button', { name: 'Remove: office.example.com' }).click();
      const question = page.getByRole('dialog', { name: 'Stop serving this certificate?' });
      await question.waitFor();
      assert.equal(await stage.focused(), 'Cancel');
      await stage.picture('sheet-certificate-remove');
      assert.deepEqual(await stage.violations(), []);
      assert.deepEqual(core.asked('cert-remove'), []);
      await question.getByRole('button', { name: 'Remove Certificate' }).click();
      assert.deepEqual(await core.hears('cert-remove'), [{ method: 'cert-remove', params: { slot: 'imported:office' } }]);
      await page.getByRole('main').getByText('The certificate for office.example.com is served no more.').waitFor();
      await page.getByRole('button', { name: 'Undo…' }).click();
      await page.getByRole('dialog', { name: 'Undo the last change?' }).getByRole('button', { name: 'Undo', exact: true }).click();
      assert.equal((await core.hears('undo'))[0]?.params.id, 'c7');
    }));

  for (const theme of themes) {
    for (const language of languages) {
      it(`look right: ${theme}, ${language}`, () =>
        Stage.play(on, 'certificates', { theme, language, size: { width: 760, height: 900 } }, async (stage) => {
          const sheet = await open(stage, /^(Import a Certificate|导入证书)/);
          await sheet.locator('input[type=file]').setInputFiles([pem('fullchain.pem'), pem('privkey.pem')]);
          for (const [name, act] of [['copy', undefined], ['watch', () => sheet.getByText(/^(Watch Files|监视文件)$/).click()]] as const) {
            await act?.();
            await stage.settled();
            await stage.picture(`sheet-import-${name}-${theme}-${language}`);
            assert.deepEqual(await stage.violations(), []);
            assert.deepEqual(await stage.overflows(), []);
          }
        }));
    }
  }
});

describe('the calendar of renewals', () => {
  after(closeBrowser);

  it('goes by date, month by month, and says what needs a person', () =>
    Stage.play(certificates, 'certificates', {}, async ({ page }) => {
      const calendar = page.getByRole('region', { name: 'Calendar of renewals' });
      const rows = (await calendar.getByRole('listitem').allInnerTexts()).map((text) => text.replace(/\s+/g, ' '));
      const dates = await calendar.locator('time').evaluateAll((all) => all.map((one) => one.getAttribute('datetime') ?? ''));
      assert.deepEqual(dates, [...dates].sort());
      assert.match(rows[0] ?? '', /Ended office\.example\.com.*It does not renew itself/);
      assert.match(rows[1] ?? '', /Renews ai\.example\.com.*Let's Encrypt wants it renewed between Nov 19, 2026 and Nov 24, 2026.*could not be renewed/);
      assert.deepEqual((await calendar.getByRole('heading', { level: 3 }).allInnerTexts()).slice(0, 3), ['Over', 'November 2026', 'December 2026']);
    }));

  it('shows a few, and all when asked; and says where there is nothing', async () => {
    const many = { ...on, snapshot: { ...on.snapshot, certificates: Array.from({ length: 12 }, (_, day) => ({ ...parts.certificates[2]!, id: `acme:${day}`, next_attempt: at((day + 1) * DAY) })) } };
    await Stage.play(many, 'certificates', {}, async ({ page }) => {
      const calendar = page.getByRole('region', { name: 'Calendar of renewals' });
      assert.equal(await calendar.getByRole('listitem').count(), 8);
      await calendar.getByRole('button', { name: 'Show all 24' }).click();
      assert.equal(await calendar.getByRole('listitem').count(), 24);
    });
    await Stage.play(off, 'certificates', {}, async (stage) => {
      assert.equal(await stage.page.getByRole('region', { name: 'Calendar of renewals' }).count(), 0);
      await stage.page.getByText('No certificate yet').waitFor();
      await stage.page.getByRole('button', { name: 'Get a Public Certificate…' }).waitFor();
    });
  });
});
