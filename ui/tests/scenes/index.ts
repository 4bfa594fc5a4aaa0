// The scenes that tests play. Each is a whole core as a window may find it.

import type { Change, ErrorEnvelope, Snapshot } from '$api';
import * as parts from './parts.js';
import { at, DAY, type Scene } from './scene.js';

export * as parts from './parts.js';
export * from './scene.js';

const quiet: Snapshot = {
  schema: 1,
  version: '0.1.0',
  desired: { state: 'off' },
  actual: { state: 'off' },
  addresses: [],
  cert: null,
  certificates: [],
  gateway: parts.gateway,
  devices: { pending: 0, paired: 0 },
  last_change: null,
  listener: null,
  problems: [],
  expiring: [],
  secrets: 'keychain',
  pid: 4711,
};
const opened: Change = { id: 'c7', title: 'Open to local network', state: 'committed', warnings: [] };

/** Nothing was ever opened; the gateway runs. */
export const off: Scene = {
  snapshot: quiet,
  devices: parts.noDevices,
  origins: { origins: [] },
  seen: [],
  test: { origin: '', canonical: null, verdict: 'not-an-origin', because: 'An origin begins with https:// or http://.' },
  plan: parts.plan,
  undoing: parts.undoing,
  change: opened,
  history: [],
  revoked: { device_id: parts.laptop.device_id, name: parts.laptop.name, can_return: false, note: 'It is locked out: it would have to ask again, and you would see it.', token_rotated: false },
  ca: { content: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n', format: 'pem', name: parts.cert.issuer, sha256: parts.CA_SHA, not_after: at(3650 * DAY) },
  trust: parts.trust,
  fingerprints: parts.fingerprints,
  pins: { pins: [], renewal: null, steps: [] },
  clients: { rules: [], certificates: [] },
  acme: parts.acme,
  directory: parts.directory,
  preflight: parts.passed,
  acmeTest: parts.dryRun,
  traffic: [],
  access: { trusted_proxies: [], networks: ['192.168.1.0/24'], clients: { rule: 'nobody' } },
  addressTest: parts.works,
  alwaysOn: parts.notReadyYet,
  network: parts.network,
  configuration: parts.configuration,
  publicAddresses: parts.publicAddresses,
  token: parts.plainToken,
  log: { source: '/Users/ada/.openclaw/logs/gateway.log', lines: ['2026-11-20T14:01:02Z info gateway listening on 127.0.0.1:18789', '2026-11-20T14:01:09Z info channel telegram ready'] },
  link: { url: 'https://localhost/#bootstrapToken=only-once', address: 'https://localhost', expires_at: at(120) },
  setup: { code: 'SETUP-1234-5678', gateway_url: 'wss://mini.local', setup_id: 's1', expires_at: at(600) },
  setupProgress: { done: false, device_id: null, name: null },
  invite: { url: 'http://192.168.1.20:49152/t/7Qm2xK', expires_at: at(600), ca_sha256: parts.CA_SHA, ca_words: parts.fingerprints.authority!.words.slice(0, 8), ca_name: parts.cert.issuer },
  inviteProgress: { open: true, visitors: [], fetched: [] },
  progress: [],
  up: true,
};

/** There is no OpenClaw on this machine. */
export const notInstalled: Scene = {
  ...off,
  snapshot: {
    ...quiet,
    gateway: { version: null, pid: null, url: 'http://127.0.0.1:18789', verdict: 'not-found', detail: 'There is no program openclaw and no configuration file.', supervised: false },
    problems: [{ code: 'gateway-not-found', title: 'OpenClaw is not installed', because: 'Neither the program nor its configuration was found for this user.', fix: { text: 'Install it, or let Gatehouse do it.', command: 'gatehouse serve --install' } }],
  },
  devices: { code: 'gateway-not-found', title: 'OpenClaw is not installed', because: 'There is no gateway to ask.', evidence: [] },
};

/** Open to the local network, two devices wait. */
export const on: Scene = {
  ...off,
  snapshot: {
    ...quiet,
    desired: { state: 'open', scope: 'lan', hosts: [] },
    actual: { state: 'on', proof: { url: 'https://mini.local', from: '192.168.1.20', protocol: 'TLS 1.3, HTTP/1.1, WebSocket', at: at(-130) } },
    addresses: parts.addresses,
    cert: parts.cert,
    devices: { pending: 2, paired: 2 },
    last_change: { id: 'c7', title: 'Open to local network', at: at(-330), undo_until: at(DAY) },
    listener: { port: 443, redirect_port: 80, connections: 5, websockets: 2 },
  },
  devices: parts.devices,
  origins: parts.origins,
  seen: parts.seen,
  history: parts.history,
  pins: parts.pins,
  clients: parts.clients,
  traffic: parts.traffic,
  access: {
    trusted_proxies: [{ address: '127.0.0.1', owner: 'gatehouse' }, { address: '::1', owner: 'gatehouse' }, { address: '10.0.0.0/8', owner: 'user' }],
    networks: ['192.168.1.0/24', '100.64.0.0/10'],
    clients: { rule: 'networks', networks: ['192.168.1.0/24', '100.64.0.0/10'] },
  },
};

/** Open to the internet, through a port of the router. */
export const throughRouter: Scene = {
  ...on,
  snapshot: {
    ...on.snapshot,
    desired: { state: 'open', scope: 'internet', hosts: ['gate.example.com'] },
    addresses: [{ url: 'https://gate.example.com', scope: 'internet', verified_at: at(-130), trusted_by: 'public' }],
    mapping: parts.mapped,
  },
};

/** The same, and the router's provider shares its address. */
export const unmapped: Scene = { ...throughRouter, snapshot: { ...throughRouter.snapshot, mapping: parts.unmapped } };

/** One device waits, and it asks for no more than to chat. */
export const oneWaits: Scene = {
  ...on,
  snapshot: { ...on.snapshot, devices: { pending: 1, paired: 2 } },
  devices: { ...parts.devices, pending: [parts.tablet] },
};

/** The address works, with two problems, on another port. */
export const degraded: Scene = {
  ...on,
  snapshot: {
    ...on.snapshot,
    actual: { state: 'degraded' },
    addresses: parts.addresses.map((address) => ({ ...address, url: `${address.url}:8443`, verified_at: null })),
    listener: { port: 8443, port_reason: 'Port 443 is used by OrbStack Helper (process 631).', redirect_reason: 'Port 80 is used by OrbStack Helper (process 631).', connections: 0, websockets: 0 },
    problems: parts.problems,
  },
};

/** No port could be had. */
export const blocked: Scene = {
  ...on,
  snapshot: {
    ...on.snapshot,
    actual: { state: 'blocked', cause: { code: 'port-taken', text: 'Port 443 is held by nginx (process 4711), and 8443 by java (process 4712).' } },
    addresses: on.snapshot.addresses.map((address) => ({ ...address, verified_at: null })),
    listener: null,
  },
};

export const paused: Scene = { ...on, snapshot: { ...on.snapshot, actual: { state: 'paused', until: at(780) } } };

/** Six of eight steps are done. */
export const preparing: Scene = {
  ...on,
  snapshot: { ...quiet, desired: on.snapshot.desired, actual: { state: 'preparing', step: 'verify', number: 7, of: 8 } },
  devices: parts.noDevices,
  progress: parts.reached('verify', 'running', 'reaching https://mini.local'),
};

/** A change that reverts by itself. */
export const unconfirmed: Scene = {
  ...on,
  snapshot: { ...on.snapshot, last_change: { id: 'c7', title: 'Open to local network', at: at(-30), undo_until: at(DAY), confirm_by: at(90) } },
};

const down: ErrorEnvelope = {
  code: 'gateway-unreachable',
  title: 'The gateway does not answer',
  because: 'Nothing listens at http://127.0.0.1:18789.',
  evidence: ['TCP 127.0.0.1:18789 refused after 0 ms'],
  fix: { text: 'Start the gateway.', command: 'openclaw gateway start' },
};
/** The gateway stopped under an open address; every question about it is answered with an error. */
export const gatewayDown: Scene = {
  ...on,
  snapshot: {
    ...on.snapshot,
    actual: { state: 'degraded', proof: { url: 'https://mini.local', from: '192.168.1.20', protocol: 'TLS 1.3', at: at(-600) } },
    gateway: { ...parts.gateway, pid: null, service: parts.stoppedService, verdict: 'stopped', detail: 'Nothing listens at http://127.0.0.1:18789 (last exit code 78).' },
    problems: [{ code: down.code, title: down.title, because: down.because, ...(down.fix && { fix: down.fix }) }],
  },
  devices: down,
  origins: down,
  addressTest: parts.fails,
  seen: [],
  access: { ...on.access, trusted_proxies: null },
  plan: down,
  undoing: down,
  change: down,
  trust: { code: 'failed', title: 'The request was not finished', because: 'A program of the system did not end.', evidence: ['no end within 30 s'] },
  fingerprints: { code: 'not-found', title: 'There is no local certificate yet', because: 'One is made when an address is opened.', evidence: [] },
  pins: { code: 'failed', title: 'The request was not finished', because: 'It was stopped.', evidence: [] },
  clients: down,
  acme: down,
  ca: { code: 'storage', title: 'The certificate authority could not be read', because: 'The file is not readable.', evidence: ['open: permission denied'] },
  traffic: [],
};

/** The core is away: nothing answers. */
export const away: Scene = { ...off, up: false };

/** Certificates of every origin: an order under way, one that was not renewed, one that is over. */
export const certificates: Scene = { ...on, snapshot: { ...on.snapshot, certificates: parts.certificates } };

const words = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';
const host = `${'a-very-long-label-that-goes-on-and-on-'.repeat(4).slice(0, 60)}.${'intranet-of-the-northern-branch-office'.repeat(2).slice(0, 60)}.example.com`;
/** Everything is as long as it may be. */
export const long: Scene = {
  ...on,
  snapshot: {
    ...degraded.snapshot,
    gateway: { ...parts.gateway, service: { ...parts.service, because: `${words} ${words}`, job: words, file: `/Users/ada/${words}` }, detail: `${words}: ${words} ${words}`, config_path: `/Users/ada/${words}/${words}/openclaw.json` },
    addresses: [{ url: `https://${host}:8443`, scope: 'internet', verified_at: at(-130), trusted_by: 'public' }, ...parts.addresses],
    certificates: [...parts.certificates, ...Array.from({ length: 12 }, (_, index) => ({ ...parts.certificates[2]!, id: `acme:${index}`, names: [`${index}.${host}`, host], issuer: words }))],
    cert: { ...parts.cert, issuer: `Gatehouse CA ${words}`, names: [host, ...Array.from({ length: 24 }, (_, index) => `name-${index}.${host}`)] },
    last_change: { id: 'c7', title: `Open to the internet as ${host}`, at: at(-40 * DAY), undo_until: at(DAY) },
    problems: [{ code: 'drift', title: `${words} was changed by somebody else, and this sentence goes on for two lines at least`, because: `gateway.controlUi.allowedOrigins now has https://${host}. ${words}`, fix: { text: words, command: `gatehouse origins add https://${host}` } }],
  },
  devices: {
    pending: [{ ...parts.iphone, name: `${words} iPhone`, scopes: [...parts.iphone.scopes, 'operator.pairing', 'operator.questions', 'operator.talk', 'operator.talk.secrets', `operator.${words.toLowerCase()}`], via_edge: { client: '2001:db8:ffff:ffff:ffff:ffff:ffff:fffe', host, tls: 'TLS 1.3', agent: 'Safari on iPhone', first_seen: at(-20), last_seen: at(-2) } }, parts.stranger],
    paired: [{ ...parts.laptop, name: words, remote_ip: '2001:db8:ffff:ffff:ffff:ffff:ffff:fffe' }, parts.desk],
    expired: [{ ...parts.visitor, name: words, can_return: true, note: `${words} ${words}` }],
  },
  origins: { origins: [{ origin: `https://${host}`, owner: 'user', never_matches: words, last_seen: at(-40 * DAY) }, ...parts.origins.origins] },
  seen: [{ origin: `https://${host}`, count: 123_456, refused: true, client: '2001:db8:ffff:ffff:ffff:ffff:ffff:fffe', last_seen: at(-DAY) }],
  trust: { ca_name: words, places: parts.trust.places.map((place) => ({ ...place, path: `${place.path}/${words}/${words}`, because: `${words} ${words}`, fix: { text: words, command: `sudo install -m 644 /home/${words}/authority.pem /usr/local/share/ca-certificates/gatehouse-0011223344556677.crt` }, stale: [{ name: words, sha256: parts.SHA }] })) },
  clients: { rules: parts.clients.rules.map((rule, index) => ({ ...rule, host: `${index}.${host}`, ...(rule.ca && { ca: `/etc/${words}/${words}.pem`, crls: [`/etc/${words}/${words}.crl`] }), ...(rule.problem && { problem: `${words}: ${words}` }) })), certificates: parts.clients.certificates.map((one) => ({ ...one, label: words.slice(0, 64), serial: '0123456789abcdef'.repeat(3).slice(0, 40) + one.serial.slice(0, 4) })) },
  pins: { ...parts.pins, pins: parts.pins.pins.map((pin) => ({ ...pin, name: words, host })) },
  history: parts.history.map((entry) => ({ ...entry, title: `${entry.title} ${host}` })),
  traffic: [{ ...parts.traffic[1]!, id: 'long', client: '2001:db8:ffff:ffff:ffff:ffff:ffff:fffe', host, path: `/${words}/${'a'.repeat(300)}` }, ...parts.traffic],
};
