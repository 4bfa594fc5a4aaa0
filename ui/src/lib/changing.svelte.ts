// A change that a sheet asks for: whether it is on its way, what came of it, why not. It is made step by step, can be stopped,
// and leaves everything as it was where it fails.

import type { Change, ErrorEnvelope, Request } from '$api';
import { asEnvelope } from '../platform';
import { core } from './core.svelte';
import { t } from './i18n.svelte';

export class Changing {
  change = $state<Change>();
  error = $state<ErrorEnvelope>();
  busy = $state(false);
  readonly #shown: () => boolean;

  /** `shown`: whether its sheet is; of one that was closed meanwhile the page tells what went wrong. */
  constructor(shown: () => boolean) {
    this.#shown = shown;
  }

  /** Nothing failed: somebody stopped it. */
  get stopped(): boolean {
    return this.error?.code === 'cancelled';
  }

  /** Has it made, and says `done` where it was. `true` = it was. */
  async make(request: () => Request | Promise<Request>, done: string): Promise<boolean> {
    this.busy = true;
    this.error = undefined;
    core.progress = [];
    try {
      this.change = (await core.ask(await request(), 'change')).data;
      core.say(done);
      return true;
    } catch (thrown) {
      this.error = asEnvelope(thrown);
      if (this.stopped) core.say(t('change.cancelled'));
      else if (!this.#shown()) core.error = this.error;
      return false;
    } finally {
      this.busy = core.cancelling = false;
      if (!this.#shown()) this.forget();
    }
  }

  forget() {
    this.change = this.error = undefined;
  }
}
