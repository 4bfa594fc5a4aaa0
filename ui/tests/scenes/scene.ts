// What a scene holds: everything the fake core may be asked for. The types are the product's own, so that a fixture of a
// wrong shape does not compile.

import type {
  AccessFacts, AcmeDirectory, AcmeState, AcmeTest, AddressTest, AlwaysOn, CaExport, Change, ClientCertificates, Configuration, DeviceList, ErrorEnvelope, Event, Fingerprints, GatewayLog, GatewayToken, HistoryEntry, Network, OriginList, OriginSeen, OriginTest, PhoneSetup, PhoneSetupProgress, Pins, Plan, Preflight, Progress, PublicAddress, RevokeReport, SecretLink, Snapshot, TrafficRecord, TrustInvite, TrustInviteProgress, TrustPlaces,
} from '$api';

export interface Scene {
  snapshot: Snapshot;
  /** An error where the core has no list: the gateway is down. */
  devices: DeviceList | ErrorEnvelope;
  origins: OriginList | ErrorEnvelope;
  seen: OriginSeen[];
  test: OriginTest;
  plan: Plan | ErrorEnvelope;
  /** The plan of taking the last change back. */
  undoing: Plan | ErrorEnvelope;
  change: Change | ErrorEnvelope;
  history: HistoryEntry[];
  revoked: RevokeReport;
  ca: CaExport | ErrorEnvelope;
  trust: TrustPlaces | ErrorEnvelope;
  fingerprints: Fingerprints | ErrorEnvelope;
  pins: Pins | ErrorEnvelope;
  clients: ClientCertificates | ErrorEnvelope;
  acme: AcmeState | ErrorEnvelope;
  directory: AcmeDirectory | ErrorEnvelope;
  preflight: Preflight | ErrorEnvelope;
  acmeTest: AcmeTest | ErrorEnvelope;
  traffic: TrafficRecord[];
  access: AccessFacts;
  alwaysOn: AlwaysOn | ErrorEnvelope;
  network: Network | ErrorEnvelope;
  configuration: Configuration | ErrorEnvelope;
  /** What is answered where the public address is asked for. */
  publicAddresses: PublicAddress[];
  token: GatewayToken | ErrorEnvelope;
  addressTest: AddressTest | ErrorEnvelope;
  log: GatewayLog;
  link: SecretLink;
  setup: PhoneSetup;
  setupProgress: PhoneSetupProgress;
  invite: TrustInvite;
  inviteProgress: TrustInviteProgress;
  progress: Progress[];
  /** `false`: nothing answers at all. */
  up: boolean;
}

/** Now, in every scene. */
export const NOW = '2026-11-20T14:02:11Z';
export const at = (secondsFromNow: number): string => new Date(Date.parse(NOW) + secondsFromNow * 1000).toISOString();
export const DAY = 86_400;

export function isError(answer: object): answer is ErrorEnvelope {
  return 'code' in answer && 'because' in answer;
}

/** The events that a viewer gets when it begins to follow. */
export function opening(scene: Scene): Event[] {
  const events: Event[] = [{ event: 'snapshot', data: scene.snapshot }];
  if (!isError(scene.devices)) events.push({ event: 'devices', data: scene.devices });
  for (const progress of scene.progress) events.push({ event: 'progress', data: progress });
  for (const record of scene.traffic) events.push({ event: 'traffic', data: record });
  return events;
}
