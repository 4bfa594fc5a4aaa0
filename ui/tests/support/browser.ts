// Chromium, and what every page is measured by.

import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import type { AxeResults, RunOptions } from 'axe-core';
import { FakeCore, UI } from './core.js';
import { NOW, type Scene } from '../scenes/index.js';

export const pages = ['overview', 'access', 'devices', 'certificates', 'gateway', 'activity', 'settings'] as const;
export type Name = (typeof pages)[number];
export const themes = ['light', 'dark'] as const;
export const languages = ['en', 'zh-Hans'] as const;
export type Look = {
  theme?: (typeof themes)[number];
  language?: (typeof languages)[number];
  size?: { width: number; height: number };
  /** Pixels per CSS pixel; a browser zoomed to 200 % has half the size and 2. */
  scale?: number;
  reducedMotion?: boolean;
};

const pictures = join(UI, '..', 'artifacts', 'ui');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let browser: Promise<Browser> | undefined;

/** Background networking is off: a test talks to nobody but its own fake core. */
function chromiumOnce(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--force-color-profile=srgb', '--font-render-hinting=none'],
  });
  return browser;
}

export async function closeBrowser() {
  await (await browser)?.close();
  browser = undefined;
}

/** A window on a fake core. */
export class Stage {
  /** Errors of the console, thrown errors, and what the security policy kept out. */
  readonly faults: string[] = [];

  private constructor(readonly core: FakeCore, readonly context: BrowserContext, readonly page: Page) {}

  static async open(scene: Scene, name: Name = 'overview', look: Look = {}, options: { folder?: string; csp?: string; prepare?: (page: Page, core: FakeCore) => Promise<unknown> } = {}): Promise<Stage> {
    const core = await FakeCore.start(scene, options);
    const context = await (await chromiumOnce()).newContext({
      viewport: look.size ?? { width: 940, height: 620 },
      deviceScaleFactor: look.scale ?? 1,
      colorScheme: look.theme ?? 'light',
      reducedMotion: look.reducedMotion === false ? 'no-preference' : 'reduce',
      locale: look.language === 'zh-Hans' ? 'zh-CN' : 'en-GB',
      timezoneId: 'UTC',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    const stage = new Stage(core, context, page);
    page.on('pageerror', (error) => stage.faults.push(`thrown: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') stage.faults.push(`console: ${message.text()}`);
    });
    try {
      await page.clock.setFixedTime(new Date(NOW));
      await options.prepare?.(page, core);
      await page.goto(`${core.url}#/${name}`);
      await page.locator(scene.up ? 'main h1 ~ *' : '[role=alert]').first().waitFor();
      await stage.settled();
    } catch (thrown) {
      // A fake core that nobody stops keeps the whole run from ending.
      await stage.close();
      throw thrown;
    }
    return stage;
  }

  /** Runs a test on a stage and closes it, however the test ends. A page may not complain unless the test says so. */
  static async play(scene: Scene, name: Name, look: Look, test: (stage: Stage) => Promise<unknown>, options: Parameters<typeof Stage.open>[3] & { mayComplain?: RegExp } = {}) {
    const stage = await Stage.open(scene, name, look, options);
    try {
      await test(stage);
      const faults = stage.faults.filter((fault) => !options.mayComplain?.test(fault));
      assert.deepEqual(faults, [], 'the console is silent');
    } finally {
      await stage.close();
    }
  }

  async close() {
    await this.context.close();
    await this.core.stop();
  }

  /** Every answer came and was drawn. */
  async settled() {
    await this.page.waitForFunction(() => !document.querySelector('[data-loading]'));
    await this.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  }

  /** Presses buttons of the page, one after another. */
  async press(...names: string[]) {
    for (const name of names) await this.page.getByRole('button', { name, exact: true }).click();
  }

  async go(name: Name) {
    await this.page.evaluate((to) => (location.hash = `/${to}`), name);
    await this.page.waitForFunction((to) => document.querySelector(`nav a[href="#/${to}"]`)?.getAttribute('aria-current') === 'page', name);
    await this.settled();
  }

  /** Keeps a picture among the artifacts. */
  async picture(name: string) {
    mkdirSync(pictures, { recursive: true });
    await this.page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true, animations: 'disabled' });
  }

  /** What axe finds, a line each. */
  async violations(options: RunOptions = {}): Promise<string[]> {
    await this.page.evaluate(axe);
    const results = await this.page.evaluate(
      (given) => (globalThis as unknown as { axe: { run(what: Document, how: RunOptions): Promise<AxeResults> } }).axe.run(document, given),
      { resultTypes: ['violations'], ...options } satisfies RunOptions,
    );
    return results.violations.flatMap((violation) =>
      violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')}: ${node.failureSummary?.split('\n')[1]?.trim() ?? ''}`),
    );
  }

  /** What is wider than the window or than the box that cuts it off, where it cannot be scrolled into view. */
  overflows(): Promise<string[]> {
    return this.page.evaluate(() => {
      const found: string[] = [];
      const root = document.scrollingElement!;
      if (root.scrollWidth > root.clientWidth) found.push(`the page scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}`);
      const say = (element: Element) => `${element.tagName.toLowerCase()}.${element.className} “${(element.textContent ?? '').trim().slice(0, 40)}”`;
      for (const element of document.querySelectorAll('body *')) {
        const box = element.getBoundingClientRect();
        const style = getComputedStyle(element);
        if (!box.width || element.closest('.visually-hidden, .skip, svg')) continue;
        const scrolls = element.parentElement?.closest('.scroll');
        if (!scrolls && (box.right > root.clientWidth + 1 || box.left < -1)) found.push(`out of the window: ${say(element)}`);
        if ((style.overflowX === 'hidden' || style.overflowX === 'clip') && style.textOverflow !== 'ellipsis' && element.scrollWidth > element.clientWidth + 1) found.push(`cut off: ${say(element)}`);
        if (element.matches('button, label, td, th, dd, dt') && element.scrollWidth > element.clientWidth + 1 && style.overflowX === 'visible') found.push(`spills: ${say(element)}`);
        if (element.tagName === 'DIALOG' && element.scrollWidth > element.clientWidth + 1) found.push(`the dialog scrolls sideways: ${say(element)}`);
      }
      return found;
    });
  }

  /** What has the focus, as a screen reader names it. */
  focused(): Promise<string> {
    return this.page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return 'nothing';
      return element.getAttribute('aria-label') ?? (element as HTMLInputElement).labels?.[0]?.textContent?.trim() ?? element.textContent?.trim() ?? element.tagName;
    });
  }

  /** Moves the focus with Tab until it is on what has this name. Fails after a whole round. */
  async tabTo(name: RegExp, key: 'Tab' | 'Shift+Tab' = 'Tab') {
    const passed: string[] = [];
    for (let step = 0; step < 80; step += 1) {
      await this.page.keyboard.press(key);
      const now = await this.focused();
      if (name.test(now)) return;
      passed.push(now);
    }
    assert.fail(`no way to ${name} by ${key}; on the way: ${passed.join(' | ')}`);
  }
}
