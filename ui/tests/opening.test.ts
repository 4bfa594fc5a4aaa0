// A change of what is open keeps what another view set: names, ports, the router's port, the networks that may come.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { closeBrowser, languages, Stage, themes } from './support/browser.js';
import { turnOnHidden } from './support/opening.js';
import { off, on, parts, throughRouter, type Scene } from './scenes/index.js';

/** As `gatehouse open --to lan --host … --port … --only …` leaves it. */
const limited: Scene = { ...on, snapshot: { ...on.snapshot, desired: { state: 'open', scope: 'lan', hosts: ['chat.example.com', 'ai.example.com'], port: 9443, redirect_port: 0, only: ['192.168.1.0/24', '10.8.0.0/16'] } } };
const kept = { scope: 'lan', hosts: ['chat.example.com', 'ai.example.com'], port: 9443, redirect_port: 0, only: ['192.168.1.0/24', '10.8.0.0/16'], confirm_within: null };
const change = async ({ page }: Stage) => {
  await page.getByRole('button', { name: 'Change…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  return dialog;
};

describe('an opening', () => {
  after(closeBrowser);

  it('begins with what is open, and asks for exactly that where nothing is changed', () =>
    Stage.play(limited, 'overview', {}, async (stage) => {
      const dialog = await change(stage);
      assert.ok(await dialog.getByRole('radio', { name: /Devices on my network/ }).isChecked());
      assert.equal(await dialog.getByRole('textbox', { name: 'Additional names' }).inputValue(), 'chat.example.com ai.example.com');
      assert.equal(await dialog.getByRole('textbox', { name: 'Only these networks' }).inputValue(), '192.168.1.0/24 10.8.0.0/16');
      assert.equal(await dialog.getByRole('spinbutton', { name: 'HTTPS port' }).inputValue(), '9443');
      await dialog.getByRole('button', { name: 'Review…' }).click();
      await dialog.getByRole('button', { name: 'Turn On' }).click();
      assert.deepEqual(await stage.core.hears('plan-open'), [{ method: 'plan-open', params: kept }]);
      assert.deepEqual(await stage.core.hears('open'), [{ method: 'open', params: kept }]);
    }));

  it('sends what is changed, and the limit is taken away only by hand', () =>
    Stage.play(limited, 'overview', {}, async (stage) => {
      const { core } = stage;
      const dialog = await change(stage);
      const only = dialog.getByRole('textbox', { name: 'Only these networks' });
      await dialog.getByRole('radio', { name: /The internet/ }).check();
      await only.fill('  203.0.113.0/24, 2001:db8::/32 ');
      await dialog.getByRole('spinbutton').fill('443');
      await dialog.getByRole('button', { name: 'Review…' }).click();
      await dialog.getByRole('button', { name: 'Back' }).click();
      assert.equal(await only.inputValue(), '  203.0.113.0/24, 2001:db8::/32 ', 'what was typed stays');
      await only.fill('');
      await dialog.getByRole('spinbutton').fill('');
      await dialog.getByRole('button', { name: 'Review…' }).click();
      const [first, second] = (await core.hears('plan-open', 2)).map(({ params }) => params);
      assert.deepEqual(first, { ...kept, scope: 'internet', port: 443, only: ['203.0.113.0/24', '2001:db8::/32'] });
      assert.deepEqual(second, { ...kept, scope: 'internet', port: null, only: [] });
    }));

  it('that was not made leaves nothing behind for the next one', () =>
    Stage.play(off, 'overview', {}, async (stage) => {
      const { page, core } = stage;
      const dialog = page.getByRole('dialog');
      await page.getByRole('button', { name: 'Open to My Network…' }).click();
      await dialog.getByText('Names, networks, port').click();
      await dialog.getByRole('textbox', { name: 'Only these networks' }).fill('10.0.0.0/8');
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'Open to My Network…' }).click();
      await dialog.getByRole('button', { name: 'Review…' }).click();
      assert.deepEqual((await core.hears('plan-open'))[0]?.params, { scope: 'lan', hosts: [], port: null, redirect_port: null, only: [], confirm_within: null });
    }));

  it('says why a network is none', () =>
    Stage.play({ ...limited, plan: { code: 'usage', title: 'That is no network', because: '300.1.1.1/24 is no CIDR block.', evidence: [] } }, 'overview', {}, async (stage) => {
      const dialog = await change(stage);
      await dialog.getByRole('textbox', { name: 'Only these networks' }).fill('300.1.1.1/24');
      await dialog.getByRole('button', { name: 'Review…' }).click();
      await dialog.getByRole('alert').getByText('300.1.1.1/24 is no CIDR block.').waitFor();
      assert.deepEqual((await stage.core.hears('plan-open'))[0]?.params.only, ['300.1.1.1/24']);
    }));

  it('keeps the port of the router until that is unticked', () =>
    Stage.play({ ...throughRouter, snapshot: { ...throughRouter.snapshot, mapping: { ...parts.mapped, port: 8443 } } }, 'overview', {}, async (stage) => {
      const dialog = await change(stage);
      assert.ok(await dialog.getByRole('checkbox', { name: /Have my router open the port/ }).isChecked());
      await dialog.getByRole('button', { name: 'Review…' }).click();
      await dialog.getByRole('button', { name: 'Back' }).click();
      await dialog.getByRole('checkbox').uncheck();
      await dialog.getByRole('button', { name: 'Review…' }).click();
      assert.deepEqual((await stage.core.hears('plan-open', 2)).map(({ params }) => params.map_port), [8443, undefined]);
    }));

  it('on its way is shown as it is when its sheet is opened again', () =>
    Stage.play(off, 'overview', {}, async (stage) => {
      const { page } = stage;
      const answer = await turnOnHidden(stage);
      await page.getByRole('button', { name: 'Open to My Network…' }).click();
      await page.getByRole('dialog', { name: 'Turning on…' }).waitFor();
      answer.give({ kind: 'change', data: { id: 'c8', title: 'Open to local network', state: 'committed', warnings: [] } });
      await page.getByRole('dialog', { name: 'Your gateway has an HTTPS address' }).waitFor();
    }));

  it('for a public certificate keeps names, ports, the router’s port and the limit, and says so', () => {
    const scene: Scene = { ...limited, acme: parts.acmeReady, snapshot: { ...limited.snapshot, mapping: parts.mapped } };
    return Stage.play(scene, 'certificates', {}, async (stage) => {
      const { page, core } = stage;
      await page.getByRole('button', { name: 'Get a Public Certificate…' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('You agreed to the terms').waitFor();
      await dialog.getByRole('textbox', { name: 'Names or addresses' }).fill('home.example.org');
      await dialog.getByRole('button', { name: 'Check…' }).click();
      await dialog.getByText('As before, only clients in 192.168.1.0/24, 10.8.0.0/16 get in.').waitFor();
      await dialog.getByRole('button', { name: 'Review…' }).click();
      assert.deepEqual((await core.hears('plan-open'))[0]?.params, { ...kept, scope: 'internet', hosts: [...kept.hosts, 'home.example.org'], map_port: parts.mapped.port });
      assert.ok(await dialog.getByRole('button', { name: 'Get Certificate' }).isEnabled());
    });
  });

  for (const theme of themes) {
    for (const language of languages) {
      it(`looks right with everything that can be said: ${theme}, ${language}`, () =>
        Stage.play({ ...limited, snapshot: { ...throughRouter.snapshot, desired: { ...kept, state: 'open', scope: 'internet' } } }, 'overview', { theme, language, size: { width: 760, height: 900 } }, async (stage) => {
          const { page } = stage;
          await page.getByRole('button', { name: language === 'en' ? 'Change…' : /^更改/ }).click();
          await page.getByRole('dialog').waitFor();
          await stage.settled();
          await stage.picture(`sheet-open-all-${theme}-${language}`);
          assert.deepEqual(await stage.violations(), []);
          assert.deepEqual(await stage.overflows(), []);
        }));
    }
  }
});
