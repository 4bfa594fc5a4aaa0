// Settings of the edge: what is set, what may be, and what cannot; every step by mouse and by key.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { ConfigEntry, Configuration, ErrorEnvelope, Reply } from '$api';
import { closeBrowser, languages, Stage, themes } from './support/browser.js';
import { later } from './support/core.js';
import { gatewayDown, off, on, parts, type Scene } from './scenes/index.js';

const with_ = (change: (entry: ConfigEntry) => Partial<ConfigEntry>, unknown: string[] = []): Scene => ({
  ...on,
  configuration: { entries: parts.configuration.entries.map((entry) => ({ ...entry, ...change(entry) })), unknown },
});
/** Somebody wrote into the file. */
const written = with_(({ key }) => (key === 'front' ? { value: 'cloudflare' } : key === 'limits.handshake' ? { problem: { key: 'core.edge.out-of-range', args: { value: '2m', least: '1s', most: '1m' }, text: '2m is not from 1s to 1m.' } } : {}), ['later.key']);
const refused: ErrorEnvelope = { code: 'usage', title: 'That is not a setting of the edge', because: 'limits.connections: 7 is not from 8 to 65536.', evidence: [], fix: { text: 'See what can be set, and within which range.', command: 'gatehouse config get' } };
const card = ({ page }: Stage) => page.getByRole('region', { name: /^(Limits, proxies and routes|限制、代理和路由)$/ });
const row = (stage: Stage, key: string) => card(stage).getByRole('listitem').filter({ hasText: `${key} = ` });
const open = (stage: Stage) => card(stage).getByText(`All ${parts.configuration.entries.length} settings`).click();
async function sheet(stage: Stage, key: string) {
  await row(stage, key).getByRole('button', { name: `Change ${key}…` }).first().click();
  const dialog = stage.page.getByRole('dialog', { name: 'Change a setting' });
  await dialog.waitFor();
  return dialog;
}

describe('settings of the edge', () => {
  after(closeBrowser);

  it('say that all are at their default, or which are not, and which are not in force', async () => {
    await Stage.play(off, 'settings', {}, async (stage) => {
      await card(stage).getByText('Everything is at its default.').waitFor();
      assert.equal(await card(stage).getByRole('button').count(), 0, 'the others are folded away');
    });
    await Stage.play(written, 'settings', {}, async (stage) => {
      await row(stage, 'front').getByText('cloudflare').first().waitFor();
      await row(stage, 'front').getByText('(default none)').waitFor();
      await row(stage, 'limits.handshake').getByText('Not in force: 2m is not from 1s to 1m.').waitFor();
      await card(stage).getByText('later.key is kept, and unknown to this version.').waitFor();
      assert.equal(await card(stage).getByRole('button').count(), 2);
    });
  });

  it('say why they cannot be shown, and are asked for again', () =>
    Stage.play({ ...gatewayDown, configuration: refused }, 'settings', {}, async (stage) => {
      await card(stage).getByRole('alert').getByText(refused.title as string).waitFor();
      stage.core.scene.configuration = parts.configuration;
      await card(stage).getByRole('button', { name: 'Look Again' }).click();
      await card(stage).getByText('Everything is at its default.').waitFor();
    }));

  it('are found by their words, changed, and can be taken back', () =>
    Stage.play(on, 'settings', {}, async (stage) => {
      const { core, page } = stage;
      await open(stage);
      await card(stage).getByRole('textbox', { name: 'Filter' }).fill('nothing like it');
      await card(stage).getByText('No setting has these words.').waitFor();
      await card(stage).getByRole('textbox', { name: 'Filter' }).fill('connections total');
      assert.equal(await card(stage).getByRole('listitem').count(), 1);
      const dialog = await sheet(stage, 'limits.connections');
      await dialog.getByText('A whole number. From 8 to 65536. By default: 4096.').waitFor();
      assert.ok(await dialog.getByRole('button', { name: 'Save' }).isDisabled(), 'nothing is changed yet');
      assert.equal(await dialog.getByRole('button', { name: 'Back to Default' }).count(), 0);
      const field = dialog.getByRole('textbox', { name: 'limits.connections' });
      await field.fill('7');
      core.answers['config-set'] = () => refused;
      await dialog.getByRole('button', { name: 'Save' }).click();
      await dialog.getByRole('alert').getByText('7 is not from 8 to 65536.').waitFor();
      assert.equal(await field.inputValue(), '7', 'what was written is kept');
      delete core.answers['config-set'];
      await field.fill(' 500 ');
      await dialog.getByRole('button', { name: 'Save' }).click();
      await dialog.waitFor({ state: 'detached' });
      assert.deepEqual(core.asked('config-set').at(-1)?.params, { edits: [{ key: 'limits.connections', value: '500' }], replace: false });
      await row(stage, 'limits.connections').first().getByText('500').waitFor();
      await card(stage).getByText('limits.connections is changed.').waitFor();
      await card(stage).getByRole('button', { name: 'Undo…' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
      const again = await sheet(stage, 'limits.connections');
      await again.getByRole('button', { name: 'Back to Default' }).click();
      await again.waitFor({ state: 'detached' });
      assert.deepEqual(core.asked('config-set').at(-1)?.params.edits, [{ key: 'limits.connections', value: null }]);
      await card(stage).getByText('Everything is at its default.').waitFor();
    }));

  it('that are on or off are switched by keys', () =>
    Stage.play(on, 'settings', {}, async (stage) => {
      const press = (key: string) => stage.page.keyboard.press(key);
      await card(stage).getByText('Everything is at its default.').waitFor();
      await stage.tabTo(/^All 8 settings/);
      await press('Enter');
      await stage.tabTo(/^Change websocket-over-h2…/);
      await press('Enter');
      const dialog = stage.page.getByRole('dialog', { name: 'Change a setting' });
      await dialog.getByText('By default: On.').waitFor();
      await stage.tabTo(/^On/);
      await press('ArrowRight');
      await stage.tabTo(/^Save/);
      await press('Enter');
      await dialog.waitFor({ state: 'detached' });
      assert.deepEqual(await stage.core.hears('config-set'), [{ method: 'config-set', params: { edits: [{ key: 'websocket-over-h2', value: 'false' }], replace: false } }]);
    }));

  it('that are on their way are saved once', () =>
    Stage.play(on, 'settings', {}, async (stage) => {
      const slow = later<Configuration>();
      stage.core.answers['config-set'] = async () => {
        await slow.promise;
        return { kind: 'change', data: { id: 'c8', title: 'Set front to cloudflare', state: 'committed', warnings: [] } };
      };
      await open(stage);
      const dialog = await sheet(stage, 'front');
      await dialog.getByRole('textbox', { name: 'front' }).fill('cloudflare');
      const save = dialog.getByRole('button', { name: 'Save' });
      await save.click();
      assert.ok(await save.isDisabled());
      slow.give(parts.configuration);
      await dialog.waitFor({ state: 'detached' });
      assert.equal(stage.core.asked('config-set').length, 1);
    }));

  const outcomes: ['saved' | 'refused', Reply | ErrorEnvelope][] = [
    ['saved', { kind: 'change', data: { id: 'c8', title: 'Set front', state: 'committed', warnings: [] } }],
    ['refused', refused],
  ];
  for (const [outcome, answer] of outcomes)
    it(`that are ${outcome} when another one is looked at already leave that alone`, () =>
      Stage.play(on, 'settings', {}, async (stage) => {
        const slow = later<Reply | ErrorEnvelope>();
        stage.core.answers['config-set'] = () => slow.promise;
        await open(stage);
        const first = await sheet(stage, 'front');
        await first.getByRole('textbox', { name: 'front' }).fill('cloudflare');
        await first.getByRole('button', { name: 'Save' }).click();
        await first.getByRole('button', { name: 'Cancel' }).click();
        await first.waitFor({ state: 'detached' });
        const second = await sheet(stage, 'limits.connections');
        const field = second.getByRole('textbox', { name: 'limits.connections' });
        await field.fill('600');
        assert.ok(await second.getByRole('button', { name: 'Save' }).isDisabled(), 'one at a time');
        slow.give(answer);
        await second.locator('button:enabled', { hasText: 'Save' }).waitFor();
        assert.equal(await field.inputValue(), '600');
        assert.equal(await second.getByRole('alert').getByText(refused.title as string).count(), outcome === 'refused' ? 1 : 0);
      }));

  for (const language of languages)
    for (const theme of themes)
      it(`are legible and reachable, ${theme}, ${language}`, () =>
        Stage.play(written, 'settings', { language, theme }, async (stage) => {
          await card(stage).locator('summary').click();
          await card(stage).scrollIntoViewIfNeeded();
          await stage.picture(`edge-settings-${theme}-${language}`);
          assert.deepEqual(await stage.violations(), []);
          await row(stage, 'routes').getByRole('button').click();
          await stage.page.getByRole('dialog').waitFor();
          await stage.picture(`sheet-edge-setting-${theme}-${language}`);
          assert.deepEqual(await stage.violations(), []);
        }));
});
