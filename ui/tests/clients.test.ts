// Certificates of clients: which names want one, who has one; every step by mouse and by key, and how each looks.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, describe, it } from 'node:test';
import type { ErrorEnvelope, Reply } from '$api';
import { closeBrowser, languages, Stage, themes } from './support/browser.js';
import { door } from './support/app.js';
import { later, policy } from './support/core.js';
import { gatewayDown, off, on, parts, type Scene } from './scenes/index.js';

const unusable: ErrorEnvelope = { code: 'certificate', title: 'The certificates of the authority cannot be used', because: '/etc/ssl/none.pem: there is no such file.', evidence: [], fix: { text: 'Put the files right; they are read by itself when they change.' } };
/** Only the network's own address is open, and nobody asks for anything. */
const fresh: Scene = { ...on, clients: { rules: [], certificates: [] } };
const given: Scene = { ...on, clients: { rules: [], certificates: [parts.client("Ada's phone", 'a1b2c3d4e5f6', -20, 345 * 86_400)] } };
const card = ({ page }: Stage) => page.getByRole('region', { name: /^(Client certificates|客户端证书)$/ });
const row = (stage: Stage, name: string) => card(stage).getByRole('listitem').filter({ hasText: name });
async function sheet(stage: Stage, button: string) {
  await card(stage).getByRole('button', { name: button }).click();
  const dialog = stage.page.getByRole('dialog');
  await dialog.waitFor();
  return dialog;
}

/** No file can be saved, or they can again. */
const full = ({ page }: Stage, is = true) =>
  page.evaluate((refuse) => {
    const scope = URL as typeof URL & { usual?: typeof URL.createObjectURL };
    scope.usual ??= URL.createObjectURL.bind(URL);
    URL.createObjectURL = refuse ? () => { throw new Error('The disk is full.'); } : scope.usual;
  }, is);
/** Makes a certificate whose file cannot be saved. */
async function unsaved(stage: Stage) {
  await full(stage);
  const dialog = await sheet(stage, 'Give a Certificate…');
  await dialog.getByRole('textbox', { name: 'What to call the device' }).fill('Phone');
  await dialog.getByRole('button', { name: 'Make Certificate' }).click();
  const done = stage.page.getByRole('dialog', { name: 'Certificate given' });
  await done.getByRole('alert').getByText('The disk is full.').waitFor();
  await done.getByText('The file is not saved.').waitFor();
  return done;
}

describe('certificates of clients', () => {
  after(closeBrowser);

  it('say which names want one and by whose authority, who has one and until when', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const own = row(stage, '192.168.1.20');
      await own.getByText('Certificates that Gatehouse gives').waitFor();
      await own.getByText('Required').waitFor();
      const office = row(stage, 'office.example.com');
      await office.getByText('Certificates of the authority in /etc/ssl/office/clients.pem').waitFor();
      await office.getByText('List of revoked certificates: /etc/ssl/office/revoked.crl').waitFor();
      await office.getByText('The list is good until').waitFor();
      const lab = row(stage, 'lab.example.com');
      await lab.getByText('Nobody gets in: the list of revoked certificates ended yesterday').waitFor();
      await lab.getByText('there is no such file').waitFor();
      await row(stage, "Ada's phone").getByText('Until Oct 31, 2027').waitFor();
      await row(stage, "Ada's phone").getByText('a1b2c3d4e5f6').waitFor();
      await row(stage, 'Kitchen tablet').getByText('Ends in 25 days').waitFor();
      await card(stage).getByText('2 that were taken back or ended').click();
      await row(stage, 'Lost phone').getByText('Taken back 3 days ago').waitFor();
      await row(stage, "Grandma's tablet").getByText('Ended 35 days ago').waitFor();
      assert.equal(await card(stage).locator('details').getByRole('button').count(), 0, 'what is over cannot be taken back');
    }));

  it('say where there are none, and why they cannot be listed', async () => {
    await Stage.play(off, 'certificates', {}, async (stage) => {
      await card(stage).getByText('No client certificates').waitFor();
      assert.equal(await card(stage).getByRole('button').count(), 2);
    });
    await Stage.play(gatewayDown, 'certificates', {}, async (stage) => {
      await card(stage).getByRole('alert').getByText('The gateway does not answer').waitFor();
      assert.equal(await card(stage).getByRole('button', { name: 'Give a Certificate…' }).count(), 0);
      stage.core.scene.clients = parts.clients;
      await card(stage).getByRole('button', { name: 'Look Again' }).click();
      await row(stage, 'office.example.com').waitFor();
    });
  });

  it('are listed anew when a rule is taken back elsewhere', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      stage.core.scene.clients = fresh.clients;
      stage.core.now({ last_change: null });
      await card(stage).getByText('No client certificates').waitFor();
      const asked = stage.core.asked('clients-list').length;
      stage.core.now({ devices: { pending: 2, paired: 2 } });
      await stage.settled();
      assert.equal(stage.core.asked('clients-list').length, asked, 'other news are no reason to ask');
    }));

  it('are given by keys from the palette; the file is saved, its password shown once', () =>
    Stage.play(fresh, 'settings', {}, async (stage) => {
      const { page, core } = stage;
      const press = (key: string) => page.keyboard.press(key);
      await press('Control+k');
      await page.keyboard.type('give client');
      await press('Enter');
      const dialog = page.getByRole('dialog', { name: 'Give a client certificate' });
      await dialog.waitFor();
      await stage.tabTo(/^Make Certificate/);
      await press('Enter');
      await dialog.getByText('1 to 64 characters.').waitFor();
      assert.equal(await stage.focused(), 'What to call the device');
      assert.deepEqual(core.asked('clients-issue'), []);
      await page.keyboard.type("Ada's phone");
      await stage.tabTo(/^Good for so many days/);
      await press('Control+a');
      await page.keyboard.type('30');
      await dialog.getByText('Until Dec 20, 2026').waitFor();
      await stage.tabTo(/^Make Certificate/);
      const [download] = await Promise.all([page.waitForEvent('download'), press('Enter')]);
      assert.equal(download.suggestedFilename(), 'Ada-s-phone.p12');
      assert.deepEqual([...(await readFile((await download.path())!))], [1, 2, 3]);
      assert.deepEqual(await core.hears('clients-issue'), [{ method: 'clients-issue', params: { label: "Ada's phone", days: 30, form: 'pkcs12', password: null } }]);
      const done = page.getByRole('dialog', { name: 'Certificate given' });
      await done.getByText('Saved as Ada-s-phone.p12').waitFor();
      await done.getByText('It is shown only now').waitFor();
      await stage.tabTo(/^Copy the password/);
      await press('Enter');
      await done.getByText('Copied').waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'k7w2-made-up');
      await stage.picture('sheet-client-given');
      assert.deepEqual(await stage.violations(), []);
      await press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.doesNotMatch(await page.content(), /k7w2-made-up/);
      await row(stage, "Ada's phone").getByText('Until Dec 20, 2026').waitFor();
      await sheet(stage, 'Give a Certificate…');
      assert.doesNotMatch(await page.content(), /k7w2-made-up/, 'the password is kept nowhere');
    }));

  it('are given with a password of the user’s, or as PEM without one, for no more days than may be', () =>
    Stage.play(fresh, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const dialog = await sheet(stage, 'Give a Certificate…');
      await dialog.getByRole('textbox', { name: 'What to call the device' }).fill('厨房平板');
      await dialog.getByRole('spinbutton').fill('4000');
      await dialog.getByRole('button', { name: 'Make Certificate' }).click();
      await dialog.getByText('1 to 3650 days.').waitFor();
      await dialog.getByRole('spinbutton').fill('365');
      await dialog.getByRole('radio', { name: /older systems/ }).check();
      const password = dialog.getByLabel('Password of the file');
      assert.equal(await password.getAttribute('type'), 'password');
      await password.fill('open sesame');
      const [first] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Make Certificate' }).click()]);
      assert.equal(first.suggestedFilename(), '厨房平板.p12');
      await dialog.getByText('Saved as').waitFor();
      assert.equal(await dialog.getByText('It is shown only now').count(), 0, 'one’s own password is not shown');
      await dialog.getByRole('button', { name: 'Give Another…' }).click();
      assert.equal(await password.inputValue(), '');
      await dialog.getByRole('textbox', { name: 'What to call the device' }).fill('curl');
      await dialog.getByRole('radio', { name: /^PEM/ }).check();
      assert.equal(await password.count(), 0);
      const [second] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Make Certificate' }).click()]);
      assert.equal(second.suggestedFilename(), 'curl.pem');
      assert.deepEqual((await core.hears('clients-issue', 2)).map(({ params }) => params), [
        { label: '厨房平板', days: 365, form: 'pkcs12-old', password: 'open sesame' },
        { label: 'curl', days: 365, form: 'pem', password: null },
      ]);
    }));

  it('come back to who closed the sheet before they were made: nobody else has the key', () =>
    Stage.play(fresh, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const answer = later<Reply>();
      core.answers['clients-issue'] = () => answer.promise;
      const dialog = await sheet(stage, 'Give a Certificate…');
      await dialog.getByRole('textbox', { name: 'What to call the device' }).fill('Phone');
      await dialog.getByRole('button', { name: 'Make Certificate' }).click();
      await dialog.getByRole('progressbar').waitFor();
      await core.hears('clients-issue');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      const [download] = await Promise.all([page.waitForEvent('download'), answer.give({ kind: 'client-issued', data: { certificate: parts.client('Phone', '00ff', 0, 86_400), content: 'AQID', password: 'late-password' } })]);
      assert.equal(download.suggestedFilename(), 'Phone.p12');
      await page.getByRole('dialog', { name: 'Certificate given' }).getByText('late-password').waitFor();
    }));

  it('that could not be saved wait in their sheet until they are', () =>
    Stage.play(fresh, 'certificates', {}, async (stage) => {
      const { page } = stage;
      const done = await unsaved(stage);
      await stage.picture('sheet-client-unsaved');
      assert.deepEqual(await stage.violations(), []);
      assert.deepEqual(await stage.overflows(), []);
      assert.ok(await done.getByRole('button', { name: 'Give Another…' }).isDisabled());
      await page.keyboard.press('Escape');
      await done.waitFor({ state: 'detached' });
      await sheet(stage, 'Give a Certificate…');
      await done.getByText('k7w2-made-up').waitFor();
      await done.getByRole('button', { name: 'Done' }).click();
      await done.waitFor({ state: 'detached' });
      await stage.go('overview');
      await stage.go('certificates');
      await sheet(stage, 'Give a Certificate…');
      await done.getByText('k7w2-made-up').waitFor();
      await full(stage, false);
      const [download] = await Promise.all([page.waitForEvent('download'), done.getByRole('button', { name: 'Save…' }).click()]);
      assert.deepEqual([...(await readFile((await download.path())!))], [1, 2, 3]);
      await done.getByText('Saved as Phone.p12').waitFor();
      assert.equal(await done.getByRole('button', { name: 'Discard' }).count(), 0);
      await done.getByRole('button', { name: 'Done' }).click();
      await done.waitFor({ state: 'detached' });
      await sheet(stage, 'Give a Certificate…');
      await page.getByRole('dialog', { name: 'Give a client certificate' }).waitFor();
    }));

  it('that could not be saved are given up on purpose', () =>
    Stage.play(fresh, 'certificates', {}, async (stage) => {
      const { page } = stage;
      const done = await unsaved(stage);
      const discard = done.getByRole('button', { name: 'Discard' });
      assert.match((await discard.getAttribute('aria-describedby').then((id) => page.locator(`[id="${id}"]`).innerText())), /gone for good/);
      await discard.click();
      await done.waitFor({ state: 'detached' });
      assert.doesNotMatch(await page.content(), /k7w2-made-up/);
      await sheet(stage, 'Give a Certificate…');
      assert.equal(await page.getByRole('textbox', { name: 'What to call the device' }).inputValue(), '');
    }));

  it('that are just being saved are not forgotten under way', () => {
    const saving = later<{ ok: string }>();
    let tries = 0;
    const save = () => ((tries += 1) === 1 ? { error: unusable } : saving.promise);
    return Stage.play(fresh, 'certificates', {}, async (stage) => {
      const { page } = stage;
      const dialog = await sheet(stage, 'Give a Certificate…');
      await dialog.getByRole('textbox', { name: 'What to call the device' }).fill('Phone');
      await dialog.getByRole('button', { name: 'Make Certificate' }).click();
      const done = page.getByRole('dialog', { name: 'Certificate given' });
      await done.getByRole('alert').waitFor();
      await done.getByRole('button', { name: 'Save…' }).click();
      for (const name of ['Give Another…', 'Discard', 'Save…']) assert.ok(await done.getByRole('button', { name }).isDisabled(), name);
      await page.keyboard.press('Escape');
      await done.waitFor({ state: 'detached' });
      saving.give({ ok: '/Users/ada/Downloads/Phone.p12' });
      await stage.settled();
      await sheet(stage, 'Give a Certificate…');
      await done.getByText('Saved as /Users/ada/Downloads/Phone.p12').waitFor();
      await done.getByText('k7w2-made-up').waitFor();
    }, { csp: policy(false), prepare: (page, core) => door(page, core, [], { save_file: save }) });
  });

  it('have names of files that are whole letters and short enough for the app', () =>
    Stage.play(fresh, 'certificates', {}, async (stage) => {
      const dialog = await sheet(stage, 'Give a Certificate…');
      await dialog.getByRole('textbox', { name: 'What to call the device' }).fill(`a${'𠮷'.repeat(30)}`);
      const [download] = await Promise.all([stage.page.waitForEvent('download'), dialog.getByRole('button', { name: 'Make Certificate' }).click()]);
      assert.equal(download.suggestedFilename(), `a${'𠮷'.repeat(22)}.p12`);
      assert.ok(Buffer.byteLength(download.suggestedFilename()) < 100);
    }));

  it('are required by keys, once it is said who is locked out', () =>
    Stage.play(given, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const press = (key: string) => page.keyboard.press(key);
      await stage.tabTo(/^Require at a Name/);
      await press('Enter');
      const dialog = page.getByRole('dialog', { name: 'Require client certificates' });
      await dialog.getByText('What happens at mini.local').waitFor();
      await dialog.getByText('ERR_BAD_SSL_CLIENT_AUTH_CERT').waitFor();
      await dialog.getByText('Seen there lately: 192.168.1.34.').waitFor();
      await dialog.getByText('Devices without one still get in at 192.168.1.20, 100.101.7.20.').waitFor();
      await dialog.getByText("In force now: Ada's phone.").waitFor();
      assert.deepEqual(await dialog.getByRole('option').allInnerTexts(), ['mini.local', '192.168.1.20', '100.101.7.20', 'Another name…']);
      await stage.picture('sheet-client-require');
      assert.deepEqual(await stage.violations(), []);
      const answer = later<Reply>();
      core.answers['clients-require'] = () => answer.promise;
      await stage.tabTo(/^Require Certificates/);
      await press('Enter');
      for (const progress of parts.reached('certificate')) core.tell({ event: 'progress', data: progress });
      await dialog.or(page.getByRole('dialog')).locator('[aria-current=step]').waitFor();
      assert.deepEqual(await core.hears('clients-require'), [{ method: 'clients-require', params: { host: 'mini.local', ca: null, crls: [] } }]);
      core.scene.clients = { ...parts.clients, rules: [{ host: 'mini.local', ca: null, crls: [] }] };
      answer.give({ kind: 'change', data: { id: 'c7', title: 'Want certificates from clients at mini.local', state: 'committed', warnings: [] } });
      await page.getByRole('dialog', { name: 'Certificates are required' }).getByText('mini.local lets only devices with a certificate in.').waitFor();
      await stage.tabTo(/^Done/);
      await press('Enter');
      await row(stage, 'mini.local').getByText('Required').waitFor();
    }));

  it('cannot be required while nobody would get in', () =>
    Stage.play(fresh, 'certificates', {}, async (stage) => {
      const dialog = await sheet(stage, 'Require at a Name…');
      await dialog.getByText('No device has a certificate yet: nobody would get in.').waitFor();
      assert.ok(await dialog.getByRole('button', { name: 'Require Certificates' }).isDisabled());
      await dialog.getByRole('button', { name: 'Give a Certificate…' }).click();
      await stage.page.getByRole('dialog', { name: 'Give a client certificate' }).waitFor();
      assert.deepEqual(stage.core.asked('clients-require'), []);
    }));

  it('of another authority come from files by their whole path, at a name that may open later', () =>
    Stage.play({ ...given, snapshot: { ...on.snapshot, addresses: on.snapshot.addresses.slice(0, 1) } }, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const dialog = await sheet(stage, 'Require at a Name…');
      await dialog.getByText('No open name is left for devices without one.').waitFor();
      await dialog.getByRole('combobox').selectOption('Another name…');
      await dialog.getByRole('radio', { name: /another authority/ }).check();
      await dialog.getByRole('textbox', { name: 'File with the authority' }).fill('clients.pem');
      await dialog.getByRole('button', { name: 'Require Certificates' }).click();
      await dialog.getByText('Give a name or an address.').waitFor();
      await dialog.getByText('Give the whole path.').waitFor();
      assert.equal(await stage.focused(), 'The other name');
      await dialog.getByRole('textbox', { name: 'The other name' }).fill('https://localhost/');
      await dialog.getByText('The names of this computer for itself ask for no certificates.').waitFor();
      await dialog.getByRole('textbox', { name: 'The other name' }).fill('https://Office.example.com/');
      await dialog.getByRole('textbox', { name: 'File with the authority' }).fill('/etc/ssl/none.pem');
      await dialog.getByRole('textbox', { name: 'Files with lists' }).fill('/etc/ssl/one.crl\n\n/etc/ssl/my lists/two.crl\n');
      core.answers['clients-require'] = () => unusable;
      await dialog.getByRole('button', { name: 'Require Certificates' }).click();
      await dialog.getByRole('alert').getByText('there is no such file').waitFor();
      assert.deepEqual((await core.hears('clients-require'))[0]?.params, { host: 'office.example.com', ca: '/etc/ssl/none.pem', crls: ['/etc/ssl/one.crl', '/etc/ssl/my lists/two.crl'] });
      assert.equal(await dialog.getByRole('textbox', { name: 'File with the authority' }).inputValue(), '/etc/ssl/none.pem', 'what was typed stays');
      core.answers['clients-require'] = () => ({ kind: 'change', data: { id: 'c8', title: 'Want certificates', state: 'committed', warnings: ['office.example.com is not among the open addresses. The rule counts as soon as it is.'] } });
      await dialog.getByRole('button', { name: 'Require Certificates' }).click();
      await page.getByRole('dialog', { name: 'Certificates are required' }).getByText('not among the open addresses').waitFor();
    }));

  it('a rule is changed as it stands, and can be stopped on its way', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const dialog = await sheet(stage, 'Change: office.example.com');
      assert.equal(await dialog.getByRole('textbox', { name: 'The other name' }).inputValue(), 'office.example.com');
      assert.equal(await dialog.getByRole('textbox', { name: 'File with the authority' }).inputValue(), '/etc/ssl/office/clients.pem');
      assert.equal(await dialog.getByRole('textbox', { name: 'Files with lists' }).inputValue(), '/etc/ssl/office/revoked.crl');
      await dialog.getByRole('radio', { name: /that Gatehouse gives/ }).check();
      const answer = later<Reply | ErrorEnvelope>();
      core.answers['clients-require'] = () => answer.promise;
      await dialog.getByRole('button', { name: 'Require Certificates' }).click();
      assert.deepEqual((await core.hears('clients-require'))[0]?.params, { host: 'office.example.com', ca: null, crls: [] });
      await dialog.getByRole('button', { name: 'Stop and Put Back' }).click();
      await core.hears('cancel-change');
      answer.give({ code: 'cancelled', title: 'Stopped', because: 'It was stopped.', evidence: [] });
      await dialog.getByText('Stopped. Everything is as it was.').waitFor();
      assert.equal(await page.getByRole('alert').count(), 0, 'it is no error');
    }));

  it('are required no more after a question, which can be undone', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const question = await sheet(stage, 'Stop requiring: 192.168.1.20');
      assert.equal(await stage.focused(), 'Cancel');
      await stage.picture('sheet-client-stop');
      assert.deepEqual(await stage.violations(), []);
      assert.deepEqual(core.asked('clients-off'), []);
      await question.getByRole('button', { name: 'Stop Requiring' }).click();
      assert.deepEqual(await core.hears('clients-off'), [{ method: 'clients-off', params: { host: '192.168.1.20' } }]);
      await card(stage).getByText('192.168.1.20 asks for no certificates any more.').waitFor();
      assert.equal(await card(stage).getByRole('button', { name: 'Stop requiring: 192.168.1.20' }).count(), 0);
      await card(stage).getByRole('button', { name: 'Undo…' }).click();
      await page.getByRole('dialog', { name: 'Undo the last change?' }).getByRole('button', { name: 'Undo', exact: true }).click();
      assert.equal((await core.hears('undo'))[0]?.params.id, 'c7');
    }));

  it('are taken back after a question, by their serial number', () =>
    Stage.play(on, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      const question = await sheet(stage, "Take back: Ada's phone");
      await question.getByText('is out at once').waitFor();
      assert.equal(await stage.focused(), 'Cancel');
      await question.getByRole('button', { name: 'Take Back Certificate' }).click();
      assert.deepEqual(await core.hears('clients-revoke'), [{ method: 'clients-revoke', params: { client: 'a1b2c3d4e5f6' } }]);
      await page.getByRole('status').getByText("The certificate of Ada's phone is taken back").waitFor({ state: 'attached' });
      await card(stage).getByText('3 that were taken back or ended').waitFor();
      core.answers['clients-revoke'] = () => ({ code: 'storage', title: 'It could not be written', because: 'The disk is full.', evidence: [] });
      await card(stage).getByRole('button', { name: 'Take back: Kitchen tablet' }).click();
      await question.getByRole('button', { name: 'Take Back Certificate' }).click();
      await page.getByRole('main').getByRole('alert').getByText('The disk is full.').waitFor();
    }));

  for (const theme of themes) {
    for (const language of languages) {
      it(`look right: ${theme}, ${language}`, () =>
        Stage.play(on, 'certificates', { theme, language, size: { width: 760, height: 900 } }, async (stage) => {
          const { page } = stage;
          const look = async (name: string) => {
            await stage.settled();
            await stage.picture(`clients-${name}-${theme}-${language}`);
            assert.deepEqual(await stage.violations(), [], name);
            assert.deepEqual(await stage.overflows(), [], name);
          };
          const dialog = page.getByRole('dialog');
          const shut = () => page.keyboard.press('Escape').then(() => dialog.waitFor({ state: 'detached' }));
          await card(stage).locator('summary').click();
          await look('card');
          await card(stage).getByRole('button', { name: /^(Give a Certificate|发放证书)/ }).click();
          await look('issue');
          await shut();
          await card(stage).getByRole('button', { name: /^(Change|更改).*office/ }).click();
          await look('require');
          await shut();
          await card(stage).getByRole('button', { name: /^(Take back|收回).*Ada/ }).click();
          await look('take-back');
        }));
    }
  }

  it('fit the smallest window at 200 %', () =>
    Stage.play({ ...on, clients: parts.clients }, 'certificates', { size: { width: 380, height: 260 }, scale: 2 }, async (stage) => {
      for (const button of ['Give a Certificate…', 'Require at a Name…', 'Change: office.example.com', 'Stop requiring: 192.168.1.20']) {
        await sheet(stage, button);
        await stage.settled();
        assert.deepEqual(await stage.overflows(), [], button);
        await stage.picture(`fit-client-${button.replace(/\W+/g, '-').toLowerCase()}`);
        await stage.page.keyboard.press('Escape');
        await stage.page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      await unsaved(stage);
      await stage.settled();
      assert.deepEqual(await stage.overflows(), []);
      await stage.picture('fit-client-unsaved');
    }));
});
