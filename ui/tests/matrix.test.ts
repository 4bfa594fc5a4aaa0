// Every page, in both themes, both languages and three states: a picture, no violation that axe knows, nothing too wide, and a
// silent console under the product's own security policy.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { closeBrowser, languages, pages, Stage, themes } from './support/browser.js';
import { certificates, gatewayDown, off, on, type Scene } from './scenes/index.js';

const states: Record<string, Scene> = { empty: off, normal: on, error: gatewayDown };

describe('every page', () => {
  after(closeBrowser);
  for (const theme of themes) {
    for (const language of languages) {
      it(`certificates of every state, ${theme}, ${language}`, () =>
        Stage.play(certificates, 'certificates', { theme, language }, async (stage) => {
          await stage.picture(`certificates-all-${theme}-${language}`);
          assert.deepEqual(await stage.violations(), [], 'axe');
          assert.deepEqual(await stage.overflows(), [], 'width');
        }));
    }
  }
  for (const theme of themes) {
    for (const language of languages) {
      for (const [state, scene] of Object.entries(states)) {
        describe(`${theme}, ${language}, ${state}`, () => {
          for (const name of pages) {
            it(name, () =>
              Stage.play(scene, name, { theme, language }, async (stage) => {
                await stage.picture(`${name}-${state}-${theme}-${language}`);
                assert.deepEqual(await stage.violations(), [], 'axe');
                assert.deepEqual(await stage.overflows(), [], 'width');
              }));
          }
        });
      }
    }
  }
});
