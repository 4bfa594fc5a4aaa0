// Nothing is cut off or too wide: in small windows, at 200 %, with very long values, and where words are 40 % longer.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'vite';
import { closeBrowser, pages, Stage, type Look } from './support/browser.js';
import { UI } from './support/core.js';
import { degraded, long, notInstalled, on, unconfirmed } from './scenes/index.js';

const windows: Record<string, Look> = {
  'the smallest window': { size: { width: 760, height: 520 } },
  'the smallest window in Chinese': { size: { width: 760, height: 520 }, language: 'zh-Hans', theme: 'dark' },
  'the usual window': { size: { width: 940, height: 620 } },
  '200 %': { size: { width: 470, height: 310 }, scale: 2 },
  '200 % of the smallest window': { size: { width: 380, height: 260 }, scale: 2 },
  'a wide window': { size: { width: 1600, height: 900 } },
};

/** Every English text with accents, and 40 % longer. */
function pseudo(text: string): string {
  const strange = text.replace(/\{\w+\}|[aeiou]/g, (part) => ({ a: 'á', e: 'é', i: 'í', o: 'ó', u: 'ü' })[part] ?? part);
  return `${strange}${' ···'.repeat(Math.max(1, Math.round((text.length * 0.4) / 4)))}`;
}
const stretched: Plugin = {
  name: 'pseudo-locale',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('catalogue/en.json')) return null;
    const texts = JSON.parse(code) as Record<string, string>;
    return JSON.stringify(Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, pseudo(text)])));
  },
};

describe('layout', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(UI, 'node_modules', '.pseudo-'));
    await build({ root: UI, configFile: join(UI, 'vite.config.ts'), logLevel: 'error', plugins: [stretched], build: { outDir: folder, emptyOutDir: true } });
  });
  after(async () => {
    await closeBrowser();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [name, look] of Object.entries(windows)) {
    it(`every page fits ${name}, also with very long values`, async () => {
      for (const [what, scene] of Object.entries({ normal: on, degraded, long, unconfirmed })) {
        await Stage.play(scene, 'overview', look, async (stage) => {
          for (const page of pages) {
            await stage.go(page);
            if (what === 'long' || name.startsWith('200')) await stage.picture(`fit-${page}-${what}-${name.replace(/\W+/g, '-')}`);
            assert.deepEqual(await stage.overflows(), [], `${page}, ${what}`);
          }
        });
      }
    });
  }

  it('every page fits words that are 40 % longer', async () => {
    for (const size of [{ width: 760, height: 520 }, { width: 940, height: 620 }]) {
      for (const [what, scene] of Object.entries({ normal: on, degraded, notInstalled })) {
        await Stage.play(scene, 'overview', { size }, async (stage) => {
          assert.match(await stage.page.locator('h1').innerText(), /Óvérvíéw|Ovérvíéw/);
          for (const page of pages) {
            await stage.go(page);
            if (size.width === 760) await stage.picture(`pseudo-${page}-${what}`);
            assert.deepEqual(await stage.overflows(), [], `${page}, ${what}, ${size.width}`);
          }
        }, { folder });
      }
    }
  });

  it('the sheets fit the smallest window at 200 %', async () => {
    await Stage.play(long, 'overview', { size: { width: 380, height: 260 }, scale: 2 }, async (stage) => {
      const { page } = stage;
      for (const [button, title] of [[/^Review 2/, /want to connect/], [/^Change/, /Who may reach/], [/^Undo/, /Undo the last/], [/^History/, /History/], [/^Turn Off/, /Turn off HTTPS/]] as const) {
        await page.getByRole('button', { name: button }).click();
        const sheet = page.getByRole('dialog', { name: title });
        await sheet.waitFor();
        await stage.settled();
        assert.deepEqual(await stage.overflows(), [], String(title));
        await page.keyboard.press('Escape');
        await sheet.waitFor({ state: 'detached' });
      }
    });
  });
});
