// A form that cannot be sent: it is said, and the first field that is wrong has the focus.

import { tick } from 'svelte';
import { core } from './core.svelte';
import { t } from './i18n.svelte';

/** To be called once the faults are set; `form` holds the fields. */
export async function toFirstFault(form: HTMLElement | undefined): Promise<void> {
  core.say(t('acme.fault.some'));
  await tick();
  form?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
}
