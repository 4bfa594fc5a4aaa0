// The pieces that scenes are put together from.

import type {
  AcmeAttempt, AcmeDirectory, AcmeState, AcmeTest, Address, AddressTest, AlwaysOn, Certificate, CertSummary, ClientCertificate, ClientCertificates, ConfigEntry, Configuration, DeviceList, ErrorEnvelope, ExpiredDevice, Fingerprint, Fingerprints, GatewayService, GatewaySummary, GatewayToken, HistoryEntry, Network, OriginList, OriginSeen, PairedDevice, PendingDevice, Pins, Plan, PortMapping, Preflight, Problem, Progress, PublicAddress, StepId, TrafficRecord, TrustKind, TrustPlace, TrustPlaces, TrustState,
} from '$api';
import { at, DAY } from './scene.js';

export const SHA = 'C1:5E:0D:8A:77:42:9B:31:0F:66:E2:AA:5B:C0:19:D4:83:2E:71:F5:0A:B6:4C:98:DD:27:E3:50:1F:8C:62:B9';
export const CA_SHA = '4F:2A:90:13:BC:58:E7:06:A1:3D:74:C9:22:8B:F0:65:DE:1A:47:93:0C:E8:5F:B2:36:7D:A4:09:C1:58:EB:7F';

export const addresses: Address[] = [
  { url: 'https://mini.local', scope: 'lan', verified_at: at(-130), trusted_by: 'local-ca' },
  { url: 'https://192.168.1.20', scope: 'lan', verified_at: at(-130), trusted_by: 'local-ca' },
  { url: 'https://100.101.7.20', scope: 'tailnet', verified_at: null, trusted_by: 'local-ca' },
];

export const works: AddressTest = {
  url: 'https://mini.local',
  works: true,
  stages: [
    { stage: 'tcp', outcome: 'passed', ms: 1, saw: '192.168.1.20 → 192.168.1.20:443' },
    { stage: 'tls', outcome: 'passed', ms: 4, saw: `TLS 1.3, SHA-256 ${SHA}` },
    { stage: 'health', outcome: 'passed', ms: 9, saw: 'GET /healthz: 200' },
    { stage: 'websocket', outcome: 'passed', ms: 21, saw: 'connect.challenge' },
  ],
};
const notReady: ErrorEnvelope = { code: 'verify-failed', title: 'The gateway behind the address is not ready', because: 'It answered 503.', evidence: [], fix: { text: 'Look at what the gateway says.', command: 'openclaw gateway status' } };
export const fails: AddressTest = {
  ...works,
  works: false,
  stages: [works.stages[0]!, works.stages[1]!, { stage: 'health', outcome: 'failed', ms: 12, saw: 'the gateway is not ready: 503 by the edge (gateway-down)' }, { stage: 'websocket', outcome: 'skipped', ms: null, saw: '' }],
  error: notReady,
};

export const cert: CertSummary = {
  issuer: 'Gatehouse CA mini 4f2a',
  not_before: at(-9 * DAY),
  not_after: at(387 * DAY),
  names: ['localhost', 'mini.local', '127.0.0.1', '192.168.1.20', '100.101.7.20'],
  sha256: SHA,
  ca_sha256: CA_SHA,
};

/** Of every origin and in every state; the one that is renewed next stands third. */
export const certificates: Certificate[] = [
  { id: 'local', kind: 'local', state: 'valid', names: cert.names, issuer: cert.issuer, not_before: cert.not_before, not_after: cert.not_after, life_left: 98, next_attempt: at(300 * DAY) },
  { id: 'acme:chat', kind: 'acme', state: 'missing', names: ['chat.example.com'], authority: "Let's Encrypt", stage: 'proving', next_attempt: at(3 * DAY) },
  { id: 'acme:ai', kind: 'acme', state: 'expiring', names: ['ai.example.com'], issuer: 'R12', not_before: at(-70 * DAY), not_after: at(20 * DAY), life_left: 22, next_attempt: at(DAY), window: { start: at(-DAY), end: at(4 * DAY) }, authority: "Let's Encrypt", problem: { code: 'certificate', title: 'The certificate for ai.example.com could not be renewed', because: 'The authority could not reach this machine.', fix: { text: 'Forward port 443 on the router.' } } },
  { id: 'imported:office', kind: 'imported', state: 'expired', names: ['office.example.com'], issuer: 'Office CA', not_before: at(-90 * DAY), not_after: at(-DAY), life_left: 0 },
];
export const attempts: AcmeAttempt[] = [
  { at: at(-60), names: ['ai.example.com'], authority: "Let's Encrypt", problem: certificates[2]!.problem! },
  { at: at(-70 * DAY), names: ['ai.example.com'], authority: "Let's Encrypt" },
];

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
/** Nothing is set up yet. */
export const acme: AcmeState = {
  ready: false,
  authorities: [],
  email: '',
  ways: [],
  reuse_key: false,
  known: [
    { id: 'letsencrypt', name: "Let's Encrypt", directory: LETS_ENCRYPT, external_account: false, staging: true },
    { id: 'zerossl', name: 'ZeroSSL', directory: 'https://acme.zerossl.com/v2/DV90', external_account: true, staging: false },
    { id: 'google', name: 'Google Trust Services', directory: 'https://dv.acme-v02.api.pki.goog/directory', external_account: true, staging: true },
  ],
  wanted: [],
  certificates: [],
};
/** Let's Encrypt is set up, with a record at Cloudflare. */
export const acmeReady: AcmeState = {
  ...acme,
  ready: true,
  authorities: [{ directory: LETS_ENCRYPT, name: "Let's Encrypt", agreed: true, account: 'https://acme-v02.api.letsencrypt.org/acme/acct/1', email: 'ada@example.org', private: false }],
  email: 'ada@example.org',
  ways: ['dns-01'],
  dns: { provider: 'cloudflare' },
};
export const directory: AcmeDirectory = {
  directory: LETS_ENCRYPT, name: "Let's Encrypt", terms: 'https://letsencrypt.org/documents/LE-SA-v1.5-February-24-2025.pdf', website: 'https://letsencrypt.org', external_account: false, staging: true, agreed: false, account: null,
};
export const passed: Preflight = {
  passed: true,
  findings: [
    { name: 'home.example.org', weight: 'doubt', text: 'The authority comes to port 443; Gatehouse listens on 8443.', fix: { text: 'Forward port 443 of the router to port 8443 of this machine.' } },
    { weight: 'good', text: "Let's Encrypt can be reached." },
    { name: 'home.example.org', weight: 'good', text: '203.0.113.7 is an address of this machine.' },
  ],
};
export const hindered: Preflight = {
  passed: false,
  findings: [
    { name: 'home.example.org', weight: 'hindrance', text: "The domain's CAA record does not allow Let's Encrypt. It allows: digicert.com.", fix: { text: 'Add a CAA record: 0 issue "letsencrypt.org".' } },
    ...passed.findings,
  ],
};
export const dryRun: AcmeTest = { preflight: passed, authority: "Let's Encrypt (staging)", works: true };

export const service: GatewayService = {
  state: 'runs',
  title: 'The system runs the gateway',
  because: 'ai.openclaw.gateway has the port, and it answers.',
  manager: 'launchd',
  name: 'ai.openclaw.gateway',
  file: '/Users/ada/Library/LaunchAgents/ai.openclaw.gateway.plist',
  job: 'It runs as process 812.',
  port: 'The service listens on port 18789.',
  health: 'It is a gateway, and ready.',
  installed_version: '2026.9.6',
  repairs: [],
};
export const stoppedService: GatewayService = {
  ...service,
  state: 'stopped',
  title: "The gateway's service does not run",
  because: 'It does not run. It ended with status 78.',
  job: 'It does not run. It ended with status 78.',
  port: 'Nobody listens on port 18789.',
  health: 'No connection is accepted.',
  fix: { text: 'See what would mend it, then do it.', command: 'gatehouse gateway repair' },
  repairs: [{ text: 'Have OpenClaw start its service', command: 'openclaw gateway start' }],
};
export const plainToken: GatewayToken = {
  place: 'configuration', state: 'known', title: "The token stands in the gateway's configuration", because: 'It stands there in plain text, in a file that only you can read.',
  fix: { text: 'Keep it in the keychain instead.', command: 'gatehouse token use-secret-ref' },
  store: 'keychain', stored: false, accepted: true,
  signs_out: ['Programs and browsers that log in with the token itself are signed out and need the new one.', '2 paired devices stay signed in: they have keys of their own.'],
};

export const notReadyYet: AlwaysOn = {
  services: [],
  awake: 'held',
  points: [
    { id: 'service', state: 'attention', title: 'The system does not start Gatehouse', because: 'After a crash, a logout or a restart of the machine the address stays away until somebody starts it.', fix: { text: 'Have the system run it.', command: 'gatehouse service install' } },
    { id: 'power-cut', state: 'attention', title: 'The machine stays off after a power cut', because: 'Somebody would have to press its button.', fix: { text: 'Let it start by itself.', command: 'sudo pmset -a autorestart 1' } },
    { id: 'updates', state: 'unknown', title: 'Whether updates restart the machine is not known', because: 'The system does not say.' },
    { id: 'awake', state: 'ready', title: 'The machine is kept awake', because: 'As long as an address is open; closing the lid of a portable still puts it to sleep.' },
  ],
};

export const network: Network = {
  host: 'mini',
  bonjour: 'mini-2.local',
  router: '192.168.1.1',
  addresses: [{ address: '192.168.1.20', interface: 'en0', reach: 'lan', temporary: false, deprecated: false, open: true }],
  kept: [{ url: 'https://192.168.1.17', until: at(DAY / 2) }],
  public: [],
  points: [
    { id: 'firewall', state: 'attention', title: 'Application Firewall keeps devices out of port 443', because: 'Devices get no answer, while this machine itself gets through: that is why the check from here succeeds.', fix: { text: 'Let devices in.', command: 'sudo /usr/libexec/ApplicationFirewall/socketfilterfw --unblockapp /Applications/Gatehouse.app' } },
    { id: 'bonjour', state: 'attention', title: 'Another device is called mini.local, so this machine is mini-2.local', because: 'Links with the old name lead to the other device.', fix: { text: 'Give this machine a name of its own.', command: 'sudo scutil --set LocalHostName NAME' } },
    { id: 'ipv6', state: 'unknown', title: 'Whether the router lets IPv6 in is not known', because: 'Routers of homes let nothing in by themselves.' },
  ],
};
export const publicAddresses: PublicAddress[] = [
  { source: 'router', address: '192.168.1.2', problem: 'The router’s own address on the outside is a private one: another router is in front of it (double NAT).' },
  { source: 'https://echo.example/ip', address: '44.55.66.77' },
];
export const mapped: PortMapping = { state: 'open', port: 443, to: 8443, router: '192.168.1.1', external: '44.55.66.77:443', protocol: 'PCP', renewed_at: at(-20), until: at(3580) };
export const unmapped: PortMapping = {
  state: 'failed',
  port: 443,
  to: 443,
  problem: { code: 'no-address', title: 'The router opens no port', because: 'The router’s own address on the outside is 100.64.0.9, which the provider shares among customers (carrier-grade NAT).', fix: { text: 'No port of this router can help. Ask the provider for a public IPv4 address, use IPv6, or a tunnel such as Tailscale or Cloudflare.' } },
  retry_at: at(60),
};

const WORDS = 'drumbeat equation afflict confidence cement belowground optic Capricorn indulge nebula upset pandemic drifter unravel assume gravity tempest bravado quota certify'.split(' ');
const fingerprint = (name: string, sha256: string): Fingerprint => ({ name, sha256, words: [...WORDS, ...WORDS.slice(0, 12)], public_key: 'Vjs8r4z+80wjNcr1YKepWQboSIRi63WsWXhIMN+eWys=' });
export const fingerprints: Fingerprints = { certificate: fingerprint(cert.issuer, SHA), authority: fingerprint(cert.issuer, CA_SHA) };

const place = (kind: TrustKind, path: string, state: TrustState): TrustPlace => ({ kind, path, state, changed: false, stale: [] });
export const trust: TrustPlaces = {
  ca_name: cert.issuer,
  places: [
    place('system-store', '/usr/local/share/ca-certificates', 'not-trusted'),
    place('chromium', '/home/ada/.pki/nssdb', 'trusted'),
    { ...place('firefox', '/home/ada/.mozilla/firefox/x7k2.default-release', 'not-trusted'), stale: [{ name: 'Gatehouse on mini, 2025-01-02', sha256: SHA }] },
    { ...place('firefox', '/home/ada/.mozilla/firefox/work', 'unknown'), because: 'certutil is missing, without which this place can be neither read nor changed.', fix: { text: 'Install libnss3-tools.', command: 'sudo apt install libnss3-tools' } },
  ],
};
export const mac: TrustPlaces = { ca_name: cert.issuer, places: [place('login-keychain', '/Users/ada/Library/Keychains/login.keychain-db', 'trusted')] };

export const pins: Pins = {
  pins: [
    { device_id: 'a1', name: "Ada's iPhone", client: 'openclaw-ios', host: 'mini.local', sha256: SHA, now: SHA, seen: at(-90) },
    { device_id: 'a2', name: 'Kitchen tablet', client: 'openclaw-android', host: '192.168.1.20', sha256: CA_SHA, now: SHA, seen: at(-40 * DAY) },
    { device_id: 'a3', name: 'Old phone', client: 'openclaw-android', host: 'chat.example.com', sha256: CA_SHA, now: null, seen: at(-70 * DAY) },
  ],
  renewal: at(265 * DAY),
  steps: [
    'These apps remember the SHA-256 of the certificate that they saw first. A new certificate is another one to them.',
    { key: 'core.pins.android', text: "Android: the app says that the TLS fingerprint does not match and does not connect. Remove the gateway in the app and pair it again; where that does not help, clear the app's data." },
  ],
};

export const client = (label: string, serial: string, given: number, ends: number): ClientCertificate => ({ serial, label, sha256: SHA, issued_at: at(given), not_after: at(ends) });
export const clients: ClientCertificates = {
  rules: [
    { host: '192.168.1.20', ca: null, crls: [] },
    { host: 'office.example.com', ca: '/etc/ssl/office/clients.pem', crls: ['/etc/ssl/office/revoked.crl'], crl_due: at(6 * DAY) },
    { host: 'lab.example.com', ca: '/etc/ssl/lab.pem', crls: ['/etc/ssl/lab.crl'], crl_due: at(-DAY), problem: '/etc/ssl/lab.pem: there is no such file.' },
  ],
  certificates: [
    client("Grandma's tablet", '0c4411d29ab3', -400 * DAY, -35 * DAY),
    { ...client('Lost phone', '7d02a9c1be55', -90 * DAY, 275 * DAY), revoked_at: at(-3 * DAY) },
    client('Kitchen tablet', '31f0aa09c2d4', -340 * DAY, 25 * DAY),
    client("Ada's phone", 'a1b2c3d4e5f6', -20 * DAY, 345 * DAY),
  ],
};

export const gateway: GatewaySummary = {
  version: '2026.9.6',
  pid: 812,
  url: 'http://127.0.0.1:18789',
  verdict: 'running',
  config_path: '/Users/ada/.openclaw/openclaw.json',
  supervised: false,
  service,
};

export const iphone: PendingDevice = {
  device_id: '3f9a1c20b7d54e6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7',
  request_id: '6f1c4a52-0001',
  name: 'Safari on iPhone',
  platform: 'ios',
  role: 'operator',
  scopes: ['operator.read', 'operator.write', 'operator.approvals', 'operator.admin'],
  remote_ip: '192.168.1.34',
  via_edge: {
    client: '192.168.1.34', host: 'mini.local', tls: 'TLS 1.3', agent: 'Safari on iPhone', first_seen: at(-70), last_seen: at(-12),
  },
  is_repair: false,
  asked_at: at(-12),
};
/** Asks for no more than to chat. */
export const tablet: PendingDevice = {
  ...iphone,
  device_id: '8c01d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d8e9f0',
  request_id: '6f1c4a52-0002',
  name: 'Firefox on Android',
  platform: 'android',
  scopes: ['operator.read', 'operator.write'],
  remote_ip: '192.168.1.51',
  via_edge: { client: '192.168.1.51', host: '192.168.1.20', tls: 'TLS 1.3', agent: 'Firefox on Android', first_seen: at(-200), last_seen: at(-31) },
  asked_at: at(-31),
};
/** Came around the edge, with a key that is known. */
export const stranger: PendingDevice = {
  ...iphone,
  device_id: 'a7b8c9d0e1f2031425364758697a8b9cadbecfd0e1f20314253647586970a1b2',
  request_id: '6f1c4a52-0003',
  name: 'openclaw-cli',
  platform: 'linux',
  role: 'node',
  scopes: [],
  remote_ip: '198.51.100.9',
  via_edge: null,
  is_repair: true,
  asked_at: at(-125),
};
export const laptop: PairedDevice = {
  device_id: '77c0ffee00112233445566778899aabbccddeeff00112233445566778899aabb',
  request_id: null,
  name: 'Kitchen laptop',
  platform: 'macos',
  role: 'operator',
  scopes: ['operator.read', 'operator.write'],
  remote_ip: '192.168.1.40',
  via_edge: null,
  approved_via: 'owner',
  connected: true,
  last_seen: at(-20),
  expires_at: null,
};
export const desk: PairedDevice = {
  ...laptop,
  device_id: '12ab34cd56ef7890a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718',
  name: 'Chrome on macOS',
  scopes: ['operator.admin', 'operator.pairing', 'operator.read', 'operator.write'],
  remote_ip: '127.0.0.1',
  approved_via: 'silent',
  connected: false,
  last_seen: at(-3 * DAY),
  expires_at: at(6 * DAY),
};
export const visitor: ExpiredDevice = { device_id: 'e'.repeat(64), name: "Visitor's phone", at: at(-3 * 3600), can_return: false, note: 'It is locked out: it would have to ask again, and you would see it.' };
export const devices: DeviceList = { pending: [stranger, iphone], paired: [laptop, desk], expired: [visitor] };
export const noDevices: DeviceList = { pending: [], paired: [], expired: [] };

export const origins: OriginList = {
  origins: [
    { origin: 'https://mini.local', owner: 'gatehouse', last_seen: at(-130) },
    { origin: 'https://chat.example.com/', owner: 'user', never_matches: 'A browser sends no slash at the end.', last_seen: null },
    { origin: 'http://localhost:5173', owner: 'user', last_seen: at(-2 * DAY) },
  ],
};
export const seen: OriginSeen[] = [
  { origin: 'https://mini.tail1234.ts.net', count: 6, refused: true, client: '100.101.7.33', last_seen: at(-340) },
  { origin: 'https://ai.example.net', count: 1, refused: true, client: '192.168.1.40', last_seen: at(-5000) },
];

export const history: HistoryEntry[] = [
  {
    id: 'c7', kind: 'open', title: 'Open to local network', state: 'committed', at: at(-330), undo_until: at(DAY),
    details: ['gateway.controlUi.allowedOrigins += https://mini.local, https://192.168.1.20', 'gateway.trustedProxies += 127.0.0.1, ::1'],
  },
  { id: 'c6', kind: 'open', title: 'Open to the internet as chat.example.com', state: 'rolled-back', at: at(-10_800), undo_until: null, details: [] },
  { id: 'c5', kind: 'origins', title: 'Allow https://chat.example.com/', state: 'undone', at: at(-9 * DAY), undo_until: null, details: ['gateway.controlUi.allowedOrigins += https://chat.example.com/'] },
];

export const steps: StepId[] = ['find-gateway', 'authentication', 'loopback', 'certificate', 'listen', 'configure', 'verify', 'commit'];

export const plan: Plan = {
  title: 'Open to local network',
  steps: [
    { id: 'find-gateway', title: 'OpenClaw 2026.9.6 at http://127.0.0.1:18789', details: [], changes: false },
    { id: 'authentication', title: 'it asks for a token', details: [], changes: false },
    { id: 'loopback', title: 'it listens on loopback only', details: [], changes: false },
    { id: 'certificate', title: 'make a certificate authority and a certificate for 5 names', details: ['mini.local, 192.168.1.20, 100.101.7.20, localhost, 127.0.0.1'], changes: true },
    { id: 'listen', title: 'listen on port 443, redirect from port 80', details: [], changes: true },
    { id: 'configure', title: 'add what this address needs', details: ['gateway.controlUi.allowedOrigins += https://mini.local', 'gateway.trustedProxies += 127.0.0.1, ::1'], changes: true },
    { id: 'verify', title: 'reach every address from outside', details: [], changes: true },
    { id: 'commit', title: 'remember the change so that it can be undone', details: [], changes: true },
  ],
  restarts_gateway: false,
  drops_connections: true,
  addresses: addresses.map((address) => address.url),
  warnings: ['Phones warn until they trust the certificate authority.'],
};

export const undoing: Plan = {
  title: 'Undo: Open to local network',
  steps: [
    { id: 'configure', title: 'Take back: gateway configuration', details: ['gateway.controlUi.allowedOrigins -= https://mini.local', 'gateway.trustedProxies -= 127.0.0.1, ::1'], changes: true },
    { id: 'listen', title: 'Take back: listen on port 443', details: [], changes: true },
  ],
  restarts_gateway: false,
  drops_connections: true,
  addresses: [],
  warnings: [],
};

/** Progress of a change up to and including a step. */
export function reached(step: StepId, state: Progress['state'] = 'running', text = ''): Progress[] {
  const last = steps.indexOf(step);
  return steps.slice(0, last + 1).map((id, index) => ({
    change: 'c8',
    step: id,
    number: index + 1,
    of: steps.length,
    state: index < last ? 'done' : state,
    text: index < last ? '' : text,
  }));
}

export const problems: Problem[] = [
  {
    code: 'port-taken',
    title: 'Port 443 is used by another program',
    because: 'OrbStack Helper (process 631) holds it, so the address uses port 8443.',
    fix: { text: 'Quit that program, then open again.', command: 'gatehouse open --to lan' },
  },
  { code: 'certificate', title: 'The certificate is about to expire', because: 'It is valid for another 9 days and could not be renewed: the clock is 412 seconds behind.' },
];

export const traffic: TrafficRecord[] = [
  {
    time: at(-420), id: '01JD5M7Q2A', client: '192.168.1.34', method: 'GET', host: 'mini.local', path: '/', status: 421, answered_by: 'edge', error: 'host-unknown',
    bytes_in: 0, bytes_out: 512, ms: 2, protocol: 'HTTP/2', tls: { version: '1.3', cipher: 'TLS13_AES_128_GCM_SHA256' },
  },
  {
    time: at(-300), id: '01JD5M7Q2B', client: '192.168.1.34', method: 'GET', host: 'mini.local', path: '/chat', status: 200, answered_by: 'gateway',
    bytes_in: 0, bytes_out: 51_200, ms: 41, protocol: 'HTTP/2', tls: { version: '1.3', cipher: 'TLS13_AES_128_GCM_SHA256' },
  },
  {
    time: at(-120), id: '01JD5M7Q2C', client: '100.101.7.33', method: 'GET', host: 'mini.tail1234.ts.net', path: '/ws', status: 403, answered_by: 'gateway',
    bytes_in: 0, bytes_out: 90, ms: 7, protocol: 'HTTP/1.1', tls: { version: '1.3', cipher: 'TLS13_AES_128_GCM_SHA256' },
  },
  {
    time: at(-60), id: '01JD5M7Q2D', client: '192.168.1.40', method: 'GET', host: '192.168.1.20', path: '/ws', status: 101, answered_by: 'gateway',
    bytes_in: 18_220, bytes_out: 934_120, ms: 9, protocol: 'HTTP/1.1', tls: { version: '1.3', cipher: 'TLS13_AES_128_GCM_SHA256' },
    websocket: { close_code: 1006, closed_by: 'client', duration_ms: 180_000 },
  },
];

const setting = (key: string, value: string, kind: ConfigEntry['kind'], text: string, range?: [string, string]): ConfigEntry => ({
  key, value, default: value, kind, about: { key: `core.edge.${key}`, text }, ...(range ? { least: range[0], most: range[1] } : {}),
});
/** Some of the settings of the edge; none is changed. */
export const configuration: Configuration = {
  entries: [
    setting('limits.handshake', '10s', 'time', 'From accept to the end of the TLS handshake.', ['1s', '1m']),
    setting('limits.body-bytes', '256MiB', 'size', 'A request body.', ['1KiB', '1TiB']),
    setting('limits.connections', '4096', 'count', 'Connections in total; fewer where the system gives fewer descriptors.', ['8', '65536']),
    setting('websocket-over-h2', 'true', 'switch', 'Whether WebSocket over HTTP/2 may be offered.'),
    setting('front', 'none', 'text', 'The proxy in front: none, cloudflare (its networks say for whom), or a tunnel on this machine, which gatehouse front tunnel declares.'),
    setting('routes', 'none', 'text', 'Requests with a class or port of their own: [NAME]/PREFIX api|interactive [port=N] [body=BYTES], with ; between them.'),
    setting('proxy-protocol', 'none', 'networks', 'Proxies that pass TCP connections on and say for whom (PROXY protocol).'),
    setting('metrics-port', 'none', 'port-or-none', 'A port on this machine for Prometheus: http://127.0.0.1:PORT/metrics.', ['1024', '65535']),
  ],
  unknown: [],
};
