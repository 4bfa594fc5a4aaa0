// An opening on its way: what it would change, its steps, what came of it. Every sheet that opens an address shows the same.

import type { Change, ErrorEnvelope, OpenRequest, Plan } from '$api';
import { asEnvelope } from '../platform';
import { core } from './core.svelte';
import { t } from './i18n.svelte';

export class Opening {
  plan = $state<Plan>();
  change = $state<Change>();
  error = $state<ErrorEnvelope>();
  busy = $state<'plan' | 'open'>();
  readonly #shown: () => boolean;

  /** `shown`: whether its sheet is; of one that was closed meanwhile the page tells what went wrong. */
  constructor(shown: () => boolean) {
    this.#shown = shown;
    // The step that runs, for screen readers.
    $effect(() => {
      const running = this.busy === 'open' ? core.progress.find((step) => step.state === 'running') : undefined;
      if (running) core.say(t('actual.preparing', { number: running.number, of: running.of, step: t(`step.${running.step}`) }));
    });
  }

  /** Nothing failed: somebody stopped it. */
  get stopped(): boolean {
    return this.error?.code === 'cancelled';
  }

  /** Whether it was begun, however it ended. */
  get tried(): boolean {
    return this.busy === 'open' || (!!this.plan && !!this.error);
  }

  /** Asks what it would change. */
  async review(request: OpenRequest) {
    await this.#attempt('plan', async () => {
      core.progress = [];
      this.plan = (await core.ask({ method: 'plan-open', params: request }, 'plan')).data;
    });
  }

  /** Opens, or leaves everything as it was. */
  async make(request: OpenRequest) {
    await this.#attempt('open', async () => {
      core.progress = [];
      this.change = (await core.ask({ method: 'open', params: request }, 'change')).data;
      core.say(t('open.done'));
    });
  }

  forget() {
    this.plan = this.change = this.error = undefined;
  }

  async #attempt(kind: 'plan' | 'open', work: () => Promise<void>) {
    this.busy = kind;
    this.error = undefined;
    try {
      await work();
    } catch (thrown) {
      this.error = asEnvelope(thrown);
      if (this.stopped) core.say(t('change.cancelled'));
      else if (!this.#shown()) core.error = this.error;
    } finally {
      this.busy = undefined;
      if (!this.#shown()) this.forget();
    }
  }
}
