// A fake core: serves the built window with the product's own security policy, and answers /v1 from a scene. What a request
// changes shows in the next events, as with the real one. It exists for tests only.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import type { DeviceList, ErrorEnvelope, Event, PairedDevice, Reply, Request, Snapshot, TrustPlace } from '$api';
import { at, DAY, isError, NOW, opening, type Scene } from '../scenes/index.js';

export type Method = Request['method'];
export type Asked<M extends Method> = Extract<Request, { method: M }>;
type Answer = Reply | ErrorEnvelope;
type Answers = { [M in Method]?: (request: Asked<M>) => Answer | Promise<Answer> };

/** What an address that did not come up is refused with. */
export const refusal = { code: 'verify-failed', title: 'The address did not prove itself', because: 'Another program answers there. Everything was rolled back.', evidence: ['TCP 192.168.1.20:443 connected in 1 ms'], fix: { text: 'Free the port.', command: 'gatehouse open --to lan --port 8443' } } satisfies ErrorEnvelope;

/** An answer that waits until it is given. */
export function later<T>(): { promise: Promise<T>; give: (value: T) => void } {
  let give!: (value: T) => void;
  const promise = new Promise<T>((resolve) => (give = resolve));
  return { promise, give };
}

/** The repository's ui folder, seen from the compiled tests. */
export const UI = join(import.meta.dirname, '..', '..', '..', '..');
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png' };

/** The policy of the product's window. A browser reaches the core by `'self'`, the window by Tauri's own scheme. */
export function policy(browser: boolean): string {
  const conf = JSON.parse(readFileSync(join(UI, '..', 'src-tauri', 'tauri.conf.json'), 'utf8')) as { app: { security: { csp: Record<string, string> } } };
  return Object.entries(conf.app.security.csp)
    .map(([name, value]) => `${name} ${browser && name === 'connect-src' ? `'self' ${value}` : value}`)
    .join('; ');
}

export class FakeCore {
  /** Every request, as it came. */
  readonly requests: Request[] = [];
  /** Answers that a test gives itself. */
  answers: Answers = {};
  readonly #streams = new Set<ServerResponse>();
  readonly #server: Server;

  private constructor(public scene: Scene, readonly folder: string, readonly csp: string) {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(scene: Scene, options: { folder?: string; csp?: string } = {}): Promise<FakeCore> {
    const core = new FakeCore(structuredClone(scene), options.folder ?? join(UI, 'dist'), options.csp ?? policy(true));
    await new Promise<void>((ready) => core.#server.listen(0, '127.0.0.1', ready));
    return core;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** Tells everyone who follows. */
  tell(...events: Event[]) {
    for (const stream of this.#streams) for (const event of events) stream.write(frame(event));
  }

  /** Changes the snapshot and tells. */
  now(change: Partial<Snapshot>) {
    this.scene.snapshot = { ...this.scene.snapshot, ...change };
    this.tell({ event: 'snapshot', data: this.scene.snapshot });
  }

  /** The core goes away, or comes back. */
  set up(up: boolean) {
    this.scene.up = up;
    if (!up) for (const stream of this.#streams) stream.destroy();
  }

  /** Those requests that can change something, or those of one method. */
  asked<M extends Method>(method: M): Asked<M>[] {
    return this.requests.filter((request): request is Asked<M> => request.method === method);
  }

  /** Waits until a request of this method has come: a click is over before what it asks for arrives here. */
  async hears<M extends Method>(method: M, times = 1): Promise<Asked<M>[]> {
    for (let waited = 0; this.asked(method).length < times && waited < 5000; waited += 20) await sleep(20);
    return this.asked(method);
  }

  async #serve(request: IncomingMessage, response: ServerResponse) {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path.startsWith('/v1/')) {
      if (!this.scene.up) return void response.writeHead(502).end('bad gateway');
      if (path === '/v1/events') {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        this.#streams.add(response);
        response.on('close', () => this.#streams.delete(response));
        for (const event of opening(this.scene)) response.write(frame(event));
        return;
      }
      const asked = JSON.parse(await body(request)) as Request;
      this.requests.push(asked);
      const answer = await this.answer(asked);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(isError(answer) ? { error: answer } : { ok: answer }));
      return;
    }
    if (path === '/favicon.ico') return void response.writeHead(204).end();
    const file = path === '/' ? '/index.html' : normalize(path);
    try {
      const content = await readFile(join(this.folder, file));
      response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'content-security-policy': this.csp }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }

  /** The answer to a request, with what it changes. */
  async answer(request: Request): Promise<Answer> {
    const own = this.answers[request.method] as ((request: Request) => Answer | Promise<Answer>) | undefined;
    return own ? own(request) : this.#usual(request);
  }

  #usual(request: Request): Answer {
    const { scene } = this;
    const or = <T extends object>(value: T | ErrorEnvelope, reply: (value: T) => Reply): Answer => (isError(value) ? value : reply(value as T));
    const change = (): Answer => or(scene.change, (data) => ({ kind: 'change', data }));
    switch (request.method) {
      case 'status': return { kind: 'status', data: scene.snapshot };
      case 'plan-undo': return or(scene.undoing, (data) => ({ kind: 'plan', data }));
      case 'plan-open': case 'plan-close': return or(scene.plan, (data) => ({ kind: 'plan', data }));
      case 'open': case 'confirm': case 'close': case 'undo': return change();
      case 'pause':
        this.now({ actual: request.params.seconds === null ? { state: 'paused' } : { state: 'paused', until: at(request.params.seconds) } });
        return { kind: 'done' };
      case 'resume':
        this.now({ actual: { state: 'on', proof: { url: 'https://mini.local', from: '192.168.1.20', protocol: 'TLS 1.3', at: NOW } } });
        return { kind: 'done' };
      case 'history': return { kind: 'history', data: scene.history.slice(0, request.params.limit) };
      case 'origins-list': return or(scene.origins, (data) => ({ kind: 'origins', data }));
      case 'origins-seen': return { kind: 'origins-seen', data: scene.seen };
      case 'origins-test': return { kind: 'origin-test', data: { ...scene.test, origin: request.params.origin } };
      case 'origins-add': case 'origins-remove': {
        if (isError(scene.origins)) return scene.origins;
        const rest = scene.origins.origins.filter((entry) => entry.origin !== request.params.origin);
        scene.origins = { origins: request.method === 'origins-remove' ? rest : [...rest, { origin: request.params.origin, owner: 'gatehouse', last_seen: null }] };
        scene.seen = scene.seen.filter((entry) => entry.origin !== request.params.origin);
        return change();
      }
      case 'devices-list': return or(scene.devices, (data) => ({ kind: 'devices', data }));
      case 'devices-approve': return this.#device(request.params.device, (list, id) => {
        const waiting = list.pending.find((device) => device.device_id === id);
        if (!waiting) return undefined;
        const { asked_at: asked, is_repair: _, ...same } = waiting;
        const device: PairedDevice = { ...same, request_id: null, name: request.params.label ?? waiting.name, approved_via: 'owner', connected: true, last_seen: asked, expires_at: request.params.expires_in === null ? null : at(request.params.expires_in) };
        list.pending = list.pending.filter((other) => other !== waiting);
        list.paired = [device, ...list.paired.filter((other) => other.device_id !== id)];
        return { kind: 'device', data: device };
      });
      case 'devices-deny': return this.#device(request.params.device, (list, id) => {
        list.pending = list.pending.filter((device) => device.device_id !== id);
        return { kind: 'denied', data: { device_id: id } };
      });
      case 'devices-revoke': return this.#device(request.params.device, (list, id) => {
        list.paired = list.paired.filter((device) => device.device_id !== id);
        return { kind: 'revoked', data: { ...scene.revoked, token_rotated: request.params.rotate_token } };
      });
      case 'devices-rename': return this.#device(request.params.device, (list, id) => {
        const device = list.paired.find((other) => other.device_id === id);
        return device && { kind: 'device', data: Object.assign(device, { name: request.params.label }) };
      });
      case 'devices-expire': return this.#device(request.params.device, (list, id) => {
        const device = list.paired.find((other) => other.device_id === id);
        return device && { kind: 'device', data: Object.assign(device, { expires_at: request.params.expires_in === null ? null : at(request.params.expires_in) }) };
      });
      case 'cancel-change': case 'dashboard-link-cancel': return { kind: 'done' };
      case 'test-address': return or(scene.addressTest, (data) => ({ kind: 'address-test', data: { ...data, url: request.params.address ?? data.url } }));
      case 'cert-show': return { kind: 'cert', data: scene.snapshot.cert };
      case 'cert-export-ca': return or(scene.ca, (data) => ({ kind: 'ca', data: { ...data, format: request.params.format, content: request.params.format === 'der' ? 'AQID' : data.content } }));
      case 'cert-fingerprints': return or(scene.fingerprints, (data) => ({ kind: 'fingerprints', data }));
      case 'cert-pins': return or(scene.pins, (data) => ({ kind: 'pins', data }));
      case 'cert-renew': return { kind: 'cert', data: scene.snapshot.cert };
      case 'trust-show': return or(scene.trust, (data) => ({ kind: 'trust-places', data: { ...data, places: data.places.map((place) => ({ ...place, changed: false })) } }));
      case 'trust-add': case 'trust-remove': {
        if (isError(scene.trust)) return scene.trust;
        const add = request.method === 'trust-add';
        const stale = request.method === 'trust-remove' && request.params.stale;
        const chosen = (place: TrustPlace) => request.params.place === null || request.params.place === place.path;
        scene.trust = { ...scene.trust, places: scene.trust.places.map((place) => {
          if (!chosen(place)) return { ...place, changed: false };
          if (stale) return { ...place, changed: place.stale.length > 0, stale: [] };
          return { ...place, changed: true, state: add ? 'trusted' : 'not-trusted' };
        }) };
        return { kind: 'trust-places', data: scene.trust };
      }
      case 'acme-show': return or(scene.acme, (data) => ({ kind: 'acme', data }));
      case 'acme-directory': {
        if (isError(scene.directory) || isError(scene.acme)) return isError(scene.directory) ? scene.directory : (scene.acme as ErrorEnvelope);
        const known = scene.acme.known.find((one) => one.id === request.params.authority);
        const agreed = scene.acme.authorities.some((one) => one.agreed && one.directory === (known?.directory ?? request.params.authority));
        const { name, directory, external_account, staging } = known ?? scene.directory;
        return { kind: 'acme-directory', data: { ...scene.directory, name, directory, external_account, staging, agreed, account: agreed ? `${directory}/acct/1` : null } };
      }
      case 'acme-setup': {
        const { scene: { acme } } = this;
        if (isError(acme)) return acme;
        const { authority, email, ways, dns, names, agree_terms: agreed } = request.params;
        const known = acme.known.find((one) => one.id === (authority ?? 'letsencrypt'));
        const asked = { directory: known?.directory ?? authority ?? '', name: known?.name ?? authority ?? '', agreed, account: 'https://ca.example/acct/1', email: email ?? acme.email, private: false };
        const authorities = agreed ? [asked, ...acme.authorities] : acme.authorities;
        scene.acme = { ...acme, ready: true, authorities, email: email ?? acme.email, ways: ways.length ? ways : acme.ways, wanted: names.length ? [...acme.wanted, names] : acme.wanted, ...(dns && { dns }) };
        return change();
      }
      case 'acme-preflight': return or(scene.preflight, (data) => ({ kind: 'preflight', data }));
      case 'acme-test': return or(scene.acmeTest, (data) => ({ kind: 'acme-test', data }));
      case 'acme-renew': return { kind: 'certificates', data: [...scene.snapshot.certificates, { id: 'acme:new', kind: 'acme', state: 'valid', names: request.params.names, not_after: at(90 * DAY) }] };
      case 'acme-log': return { kind: 'acme-log', data: [] };
      case 'cert-import': case 'cert-remove': return change();
      case 'clients-list': return or(scene.clients, (data) => ({ kind: 'clients', data }));
      case 'clients-require': case 'clients-off': case 'clients-issue': case 'clients-revoke': return this.#client(request);
      case 'gateway-status': return { kind: 'gateway', data: scene.snapshot.gateway };
      case 'gateway-control': case 'install-gateway': return { kind: 'gateway', data: scene.snapshot.gateway };
      case 'gateway-log': return { kind: 'gateway-log', data: { ...scene.log, lines: scene.log.lines.slice(-request.params.lines) } };
      case 'dashboard-link': return { kind: 'link', data: scene.link };
      case 'phone-setup': return { kind: 'phone-setup', data: scene.setup };
      case 'phone-setup-status': return { kind: 'phone-setup-status', data: scene.setupProgress };
      case 'trust-invite': return { kind: 'invite', data: scene.invite };
      case 'trust-invite-status': return { kind: 'invite-status', data: scene.inviteProgress };
      case 'trust-invite-end': return { kind: 'done' };
      case 'traffic': return { kind: 'traffic', data: scene.traffic.slice(-request.params.limit) };
      case 'always-on': return or(scene.alwaysOn, (data) => ({ kind: 'always-on', data }));
      case 'network': return or(scene.network, (data) => ({ kind: 'network', data: request.params.ask ? { ...data, public: scene.publicAddresses } : data }));
      case 'config-show': return or(scene.configuration, (data) => ({ kind: 'configuration', data }));
      case 'config-set': {
        if (isError(scene.configuration)) return scene.configuration;
        const { edits } = request.params;
        scene.configuration = { ...scene.configuration, entries: scene.configuration.entries.map((entry) => {
          const edit = edits.find(({ key }) => key === entry.key);
          const { problem: _, ...rest } = entry;
          return edit ? { ...rest, value: edit.value ?? entry.default } : entry;
        }) };
        return change();
      }
      case 'renew-mapping': return or(scene.network, (data) => ({ kind: 'network', data }));
      case 'token-status': case 'token-import': return or(scene.token, (data) => ({ kind: 'token', data }));
      case 'token-reveal': return { kind: 'secret', data: 'the-token-of-the-gateway' };
      case 'token-change': return change();
      case 'gateway-repair': {
        const service = scene.snapshot.gateway.service;
        return service ? { kind: 'gateway-repair', data: { done: !request.params.dry_run, steps: service.repairs, service } } : { code: 'not-found', title: 'Nothing to repair', because: 'It was not looked at.', evidence: [] };
      }
      case 'access': return { kind: 'access', data: scene.access };
      default: return { code: 'usage', title: 'The fake core does not know this', because: request.method, evidence: [] };
    }
  }

  #client(request: Asked<'clients-require' | 'clients-off' | 'clients-issue' | 'clients-revoke'>): Answer {
    const { scene: { clients, change } } = this;
    if (isError(clients)) return clients;
    if (request.method === 'clients-issue') {
      const { label, days, form, password } = request.params;
      const certificate = { serial: 'f00dfeed0123', label, sha256: 'AB', issued_at: NOW, not_after: at(days * DAY) };
      this.scene.clients = { ...clients, certificates: [...clients.certificates, certificate] };
      return { kind: 'client-issued', data: { certificate, content: 'AQID', password: form === 'pem' || password ? null : 'k7w2-made-up' } };
    }
    if (request.method === 'clients-revoke') {
      const one = clients.certificates.find(({ serial }) => serial === request.params.client);
      if (!one) return { code: 'not-found', title: 'There is no client', because: request.params.client, evidence: [] };
      one.revoked_at = NOW;
      return { kind: 'client-revoked', data: one };
    }
    const rest = clients.rules.filter(({ host }) => host !== request.params.host);
    this.scene.clients = { ...clients, rules: request.method === 'clients-require' ? [...rest, request.params] : rest };
    return isError(change) ? change : { kind: 'change', data: change };
  }

  #device(id: string, act: (list: DeviceList, id: string) => Reply | undefined): Answer {
    const list = this.scene.devices;
    if (isError(list)) return list;
    const reply = act(list, id);
    if (!reply) return { code: 'not-found', title: 'There is no such device', because: id, evidence: [] };
    this.tell({ event: 'devices', data: list });
    this.now({ devices: { pending: list.pending.length, paired: list.paired.length } });
    return reply;
  }
}

const frame = (event: Event) => `data: ${JSON.stringify(event)}\n\n`;

async function body(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
