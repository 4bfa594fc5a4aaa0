// What the window knows of the core: the newest snapshot, devices, progress and traffic. It keeps no state of its own
// beside them, so window, tray and command line cannot disagree.

import type { DeviceList, ErrorEnvelope, Event, LastChange, PendingDevice, Progress, Reply, Request, Snapshot, TrafficRecord } from '$api';
import { asEnvelope, type Platform } from '../platform';
import { t } from './i18n.svelte';

/** Rows of traffic that the window keeps. */
const KEPT_TRAFFIC = 500;
/** How long an answered device may stay on the core's list before it is shown again. */
const UNCONFIRMED_MS = 10_000;

class CoreState {
  /** `undefined` until the first event. */
  snapshot = $state<Snapshot>();
  devices = $state<DeviceList>();
  /** Why there is no list of devices. */
  devicesError = $state<ErrorEnvelope>();
  /** Devices that were answered here and that the core has not taken off the list yet. */
  #leaving = $state<string[]>([]);
  /** Whether the change that runs was asked to stop. */
  cancelling = $state(false);
  /** Whether OpenClaw is being installed. */
  installing = $state(false);
  /** Steps of the change that runs, or of the last one, newest text of each. */
  progress = $state<Progress[]>([]);
  traffic = $state.raw<TrafficRecord[]>([]);
  /** Whether the event stream is up; `undefined` = not yet known. */
  up = $state<boolean>();
  /** Why no core answers, where that is known. */
  why = $state<ErrorEnvelope>();
  /** Whether HTTPS ends with this app. */
  hosting = $state(false);
  /** The error that the window shows on top, until it is dismissed. */
  error = $state<ErrorEnvelope>();
  /** A sentence for the live region. */
  announcement = $state('');
  #platform: Platform | undefined;

  /** Starts to follow the core. */
  start(platform: Platform): () => void {
    this.#platform = platform;
    return platform.follow(
      (event) => this.#take(event),
      (reach) => {
        this.up = reach.up ?? undefined;
        this.why = reach.why ?? undefined;
        this.hosting = reach.hosting ?? false;
        if (this.up) void this.#refresh();
      },
    );
  }

  get platform(): Platform {
    if (!this.#platform) throw new Error('the core is asked before it is followed');
    return this.#platform;
  }

  /** Asks and hands out the answer; throws an `ErrorEnvelope`. */
  async ask<K extends Reply['kind']>(request: Request, kind: K): Promise<Extract<Reply, { kind: K }>> {
    let reply: Reply;
    try {
      reply = await this.platform.call(request);
    } catch (thrown) {
      throw asEnvelope(thrown);
    }
    if (reply.kind !== kind) throw asEnvelope(`asked for ${kind}, was given ${reply.kind}`);
    return reply as Extract<Reply, { kind: K }>;
  }

  /** Does something and shows its error on top. `true` = it was done. */
  async attempt(work: () => Promise<unknown>): Promise<boolean> {
    this.error = undefined;
    try {
      await work();
      return true;
    } catch (thrown) {
      this.error = asEnvelope(thrown);
      // Who asked to stop has what was asked for.
      if (this.error.code === 'cancelled') {
        this.say(t('change.cancelled'));
        this.error = undefined;
      }
      return false;
    }
  }

  /** Devices that wait for an answer, oldest first. */
  get waiting(): PendingDevice[] {
    return (this.devices?.pending ?? []).filter((device) => !this.#leaving.includes(device.device_id));
  }

  /** Answers a device. It leaves the list at once, and is back if that failed or is not confirmed in time. */
  async answer(device: string, work: () => Promise<unknown>): Promise<boolean> {
    const back = () => (this.#leaving = this.#leaving.filter((id) => id !== device));
    this.#leaving = [...this.#leaving, device];
    setTimeout(back, UNCONFIRMED_MS);
    const done = await this.attempt(work);
    if (!done) back();
    return done;
  }

  /** Stops the change that is being made. Its own request tells what came of that. */
  async cancelChange(): Promise<void> {
    if (this.cancelling) return;
    this.cancelling = true;
    this.say(t('change.cancelling'));
    if (!(await this.attempt(() => this.ask({ method: 'cancel-change' }, 'done')))) {
      this.cancelling = false;
      // It ended meanwhile, or is being taken back already: either way it is over soon.
      if (this.error?.code === 'not-found') this.error = undefined;
    }
  }

  /** The newest change, where it can be taken back now. */
  get undoable(): LastChange | undefined {
    const change = this.snapshot?.last_change;
    return change && !change.confirm_by && (!change.undo_until || Date.parse(change.undo_until) > Date.now()) ? change : undefined;
  }

  /** Installs OpenClaw; its way is told by the gateway's detail. */
  async install(): Promise<void> {
    this.installing = true;
    await this.attempt(() => this.ask({ method: 'install-gateway' }, 'gateway'));
    this.installing = false;
  }

  /** Asks for the requests from before the window followed. */
  async loadTraffic(): Promise<void> {
    try {
      const { data } = await this.ask({ method: 'traffic', params: { limit: KEPT_TRAFFIC } }, 'traffic');
      const known = new Set(this.traffic.map((row) => row.id));
      this.traffic = [...this.traffic, ...data.filter((row) => !known.has(row.id))].sort((one, other) => other.time.localeCompare(one.time)).slice(0, KEPT_TRAFFIC);
    } catch {
      // What comes from now on is shown all the same.
    }
  }

  /** Says a sentence to screen readers. */
  say(text: string) {
    this.announcement = text;
  }

  async #refresh() {
    try {
      this.#list((await this.ask({ method: 'devices-list' }, 'devices')).data);
    } catch (thrown) {
      this.devicesError = asEnvelope(thrown);
    }
  }

  #take(event: Event) {
    switch (event.event) {
      case 'snapshot':
        this.up = true;
        if (this.snapshot && this.snapshot.gateway.verdict !== event.data.gateway.verdict) void this.#refresh();
        this.snapshot = event.data;
        if (event.data.actual.state !== 'preparing') this.cancelling = false;
        break;
      case 'progress':
        this.#step(event.data);
        break;
      case 'devices':
        this.#list(event.data);
        break;
      case 'traffic':
        this.traffic = [event.data, ...this.traffic.filter((row) => row.id !== event.data.id)].slice(0, KEPT_TRAFFIC);
        break;
      case 'lagged':
        void this.#refresh();
        break;
      case 'stopping':
        this.up = false;
        break;
    }
  }

  #list(devices: DeviceList) {
    this.devices = devices;
    this.devicesError = undefined;
    this.#leaving = this.#leaving.filter((id) => devices.pending.some((device) => device.device_id === id));
  }

  #step(progress: Progress) {
    if (this.progress[0] && this.progress[0].change !== progress.change) this.progress = [];
    const rest = this.progress.filter((step) => step.step !== progress.step);
    this.progress = [...rest, progress].sort((one, other) => one.number - other.number);
  }
}

export const core = new CoreState();
