// What a waiting device asks for, in the few words that answers are bound to.

import type { ApproveAs, PendingDevice } from '$api';

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
