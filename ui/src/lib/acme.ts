// What the sheet for public certificates asks a person, and what the core is asked for by that: pure.

import type { AcmeDirectory, AcmeSetup, AcmeState, DnsSetup, OpenRequest, ProofWay, Snapshot } from '$api';
import type { Key } from './i18n.svelte';

/** Who is to reach the names; `none` = only the certificate is wanted. */
export type Reach = 'internet' | 'lan' | 'none';
/** How names are proven; `automatic` = whatever is open. */
export type Way = 'automatic' | ProofWay;
export type Provider = DnsSetup['provider'];

export const ways: Way[] = ['automatic', 'tls-alpn-01', 'http-01', 'dns-01'];
export const providers: Provider[] = ['cloudflare', 'rfc2136', 'hook'];
export const algorithms = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'];
/** The authority that is named by the address of its directory. */
export const OTHER = 'other';
const EVERY: ProofWay[] = ['tls-alpn-01', 'http-01', 'dns-01'];

export interface AcmeForm {
  names: string;
  reach: Reach;
  way: Way;
  provider: Provider;
  /** Token or shared key of the provider; empty = the one that is kept. */
  secret: string;
  server: string;
  zone: string;
  keyName: string;
  algorithm: string;
  program: string;
  /** How long a record takes until everybody sees it, in seconds. */
  settle: number;
  /** One of those that are known, or [`OTHER`]. */
  authority: string;
  directory: string;
  roots: string;
  keyId: string;
  key: string;
  email: string;
  agreed: boolean;
}

export type Fault = Partial<Record<keyof AcmeForm, Key>>;

/** What is set up already, as a form. */
export function formOf(acme: AcmeState): AcmeForm {
  const first = acme.authorities[0];
  const known = acme.known.find((one) => one.directory === first?.directory);
  const only = acme.ways.length === 1 ? acme.ways[0] : undefined;
  const dns = acme.dns;
  const update = dns?.provider === 'rfc2136' ? dns : undefined;
  return {
    names: '',
    reach: 'internet',
    way: only ?? 'automatic',
    provider: dns?.provider ?? 'cloudflare',
    secret: '',
    server: update?.server ?? '',
    zone: update?.zone ?? '',
    keyName: update?.key_name ?? '',
    algorithm: update?.algorithm ?? 'hmac-sha256',
    program: dns?.provider === 'hook' ? dns.program : '',
    settle: dns && dns.provider !== 'cloudflare' ? dns.settle : 30,
    authority: first ? (known?.id ?? OTHER) : (acme.known[0]?.id ?? OTHER),
    directory: first && !known ? first.directory : '',
    roots: '',
    keyId: '',
    key: '',
    email: acme.email,
    agreed: false,
  };
}

/** Names as they are compared: each once. */
export const namesOf = (text: string): string[] => [...new Set(text.toLowerCase().split(/[\s,;]+/).map((name) => name.replace(/^https?:\/\//, '').replace(/\/.*$|\.$/g, '')).filter(Boolean))];

/** What the core is to know the authority by; empty = it is not said yet. */
export const authorityOf = (form: AcmeForm): string => (form.authority === OTHER ? form.directory.trim() : form.authority);

/** Whether names can be proven although nothing is open. */
export const byRecord = (form: AcmeForm, acme: AcmeState): boolean => form.way === 'dns-01' || (form.way === 'automatic' && !!acme.dns);

/** Whether the provider's secret is kept already, so that it need not be given again. */
export const secretKept = (form: AcmeForm, acme: AcmeState): boolean => sameDns(dnsOf(form), acme.dns);

/** Whether an account of the authority's web site is to be given. */
export const wantsAccount = (form: AcmeForm, acme: AcmeState, said: AcmeDirectory | undefined): boolean =>
  (said?.external_account ?? acme.known.find((one) => one.id === form.authority)?.external_account ?? false) && !said?.account;

/** What is missing or cannot be meant. */
export function faultsOf(form: AcmeForm, acme: AcmeState, said: AcmeDirectory | undefined): Fault {
  const fault: Fault = {};
  const names = namesOf(form.names);
  const blank = (field: 'server' | 'zone' | 'keyName' | 'program', text: Key) => {
    if (!form[field].trim()) fault[field] = text;
  };
  if (!names.length) fault.names = 'acme.fault.names';
  else if (names.some((name) => name.startsWith('*.')) && form.reach !== 'none') fault.names = 'acme.fault.wildcard';
  if (form.reach !== 'internet' && !byRecord(form, acme)) fault.way = 'acme.fault.way';
  if (form.way === 'dns-01') {
    if (form.provider === 'rfc2136') {
      blank('server', 'acme.fault.server');
      blank('zone', 'acme.fault.zone');
      blank('keyName', 'acme.fault.key-name');
    }
    if (form.provider === 'hook' && !form.program.trim().startsWith('/')) fault.program = 'acme.fault.program';
    if (form.provider !== 'hook' && !form.secret.trim() && !secretKept(form, acme)) fault.secret = 'acme.fault.secret';
  }
  if (form.authority === OTHER && !/^https:\/\/\S+$/.test(form.directory.trim())) fault.directory = 'acme.fault.directory';
  if (wantsAccount(form, acme, said)) {
    if (!form.keyId.trim()) fault.keyId = 'acme.fault.key-id';
    if (!form.key.trim()) fault.key = 'acme.fault.key';
  }
  if (form.email.trim() && !/^\S+@\S+$/.test(form.email.trim())) fault.email = 'acme.fault.email';
  if (!form.agreed && !said?.agreed) fault.agreed = 'acme.fault.agreed';
  return fault;
}

/** What has to be changed about how certificates are got; `undefined` = nothing. */
export function setupOf(form: AcmeForm, acme: AcmeState, said: AcmeDirectory | undefined): AcmeSetup | undefined {
  const authority = authorityOf(form);
  const directory = acme.known.find((one) => one.id === authority)?.directory ?? authority;
  const chosen = form.way === 'automatic' ? EVERY : [form.way];
  const sameWays = acme.ways.length ? acme.ways.join() === chosen.join() : form.way === 'automatic';
  const wanted = form.way === 'dns-01' ? dnsOf(form) : undefined;
  const dns = wanted && (form.secret.trim() || !sameDns(wanted, acme.dns)) ? wanted : null;
  const external = wantsAccount(form, acme, said);
  const setup: AcmeSetup = {
    names: [],
    email: form.email.trim() === acme.email ? null : form.email.trim(),
    agree_terms: form.agreed && !said?.agreed,
    authority: acme.authorities[0]?.directory === directory ? null : authority,
    only_authority: false,
    roots: form.authority === OTHER && form.roots.trim() ? form.roots : null,
    external_key_id: external ? form.keyId.trim() : null,
    external_key: external ? form.key.trim() : null,
    ways: sameWays ? [] : chosen,
    dns,
    dns_secret: dns && dns.provider !== 'hook' ? form.secret.trim() : null,
    reuse_key: null,
  };
  const changes = setup.email !== null || setup.agree_terms || setup.authority || setup.roots || setup.external_key_id || setup.ways.length || setup.dns;
  return changes ? setup : undefined;
}

/** A setup that wants one certificate more, and changes nothing else. */
export const wanting = (names: string[]): AcmeSetup => ({
  names, email: null, agree_terms: false, authority: null, only_authority: false, roots: null, external_key_id: null, external_key: null, ways: [], dns: null, dns_secret: null, reuse_key: null,
});

/** Whether a certificate for exactly these names is wanted already. */
export const isWanted = (names: string[], acme: AcmeState): boolean => acme.wanted.some((list) => [...list].sort().join() === [...names].sort().join());

/** How the names are opened, beside those that are open already. Ports, the router's port and the limit stay as they are. */
export function openingOf(form: AcmeForm, { desired, mapping }: Pick<Snapshot, 'desired' | 'mapping'>): OpenRequest {
  const before = desired.state === 'open' ? desired : undefined;
  const scope = form.reach === 'lan' ? 'lan' : 'internet';
  return {
    scope,
    hosts: [...new Set([...(before?.hosts ?? []), ...namesOf(form.names)])],
    port: before?.port ?? null,
    redirect_port: before?.redirect_port ?? null,
    ...(scope === 'internet' && before && mapping ? { map_port: mapping.port } : {}),
    only: before?.only ?? [],
    confirm_within: null,
  };
}

function dnsOf(form: AcmeForm): DnsSetup {
  switch (form.provider) {
    case 'cloudflare': return { provider: 'cloudflare' };
    case 'rfc2136': return { provider: 'rfc2136', server: form.server.trim(), zone: form.zone.trim(), key_name: form.keyName.trim(), algorithm: form.algorithm, settle: form.settle };
    case 'hook': return { provider: 'hook', program: form.program.trim(), settle: form.settle };
  }
}

function sameDns(one: DnsSetup, other: DnsSetup | undefined): boolean {
  const text = (setup: DnsSetup) => Object.entries(setup).sort().join('\n');
  return !!other && text(one) === text(other);
}
