// What a waiting device asks for, in the few words that answers are bound to.

import type { ApproveAs, PendingDevice } from '$api';
import type { Key } from './i18n.svelte';

/** How long a device may stay, in seconds from now; `kept` = as it was set before. */
export type Stay = number | 'always' | 'kept';

const HOUR = 3600;
export const stays: { value: Stay; text: Key }[] = [
  { value: HOUR, text: 'expiry.hour' },
  { value: 24 * HOUR, text: 'expiry.day' },
  { value: 7 * 24 * HOUR, text: 'expiry.week' },
  { value: 30 * 24 * HOUR, text: 'expiry.month' },
  { value: 'always', text: 'expiry.always' },
];

const chat = ['operator.read', 'operator.write', 'operator.approvals', 'operator.questions', 'operator.talk'];

/** Whether a device asks for something that must never be given by one key: full control, control of devices, or a role of its own. */
export function isStrong(device: PendingDevice): boolean {
  return accessOf(device) === 'full';
}

/**
 * The narrowest access that covers what a device asks for. The gateway gives a request as a whole or not at all; naming the
 * access makes the core refuse a request that grew meanwhile.
 */
export function accessOf(device: Pick<PendingDevice, 'role' | 'scopes'>): ApproveAs {
  if (device.role !== 'operator' || device.scopes.some((scope) => !chat.includes(scope))) return 'full';
  return device.scopes.every((scope) => scope === 'operator.read') ? 'read' : 'chat';
}
