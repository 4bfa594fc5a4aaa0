// Opening the owner's dashboard. OpenClaw takes up to half a minute to make the link: that is shown, and can be stopped.

import { core } from './core.svelte';
import { t } from './i18n.svelte';

let since = $state<number>();

export const dashboard = {
  /** When the link that is being made was asked for, in milliseconds; `undefined` = none is being made. */
  get since(): number | undefined {
    return since;
  },
  /** The link works once and makes this computer's browser an owner: it goes there and nowhere else. */
  async open() {
    if (since) return;
    since = Date.now();
    core.say(t('dashboard.title'));
    const opened = await core.attempt(() => core.platform.openDashboard());
    since = undefined;
    core.say(t(opened ? 'dashboard.opened' : 'dashboard.cancelled'));
  },
  async cancel() {
    await core.attempt(() => core.ask({ method: 'dashboard-link-cancel' }, 'done'));
  },
};
