// Made from the Rust crate gatehouse-api; do not edit. Refresh: scripts/types
/* eslint-disable */

/**
 * Words of the catalogue with their arguments, or somebody's own words. As a string it is English.
 */
export type Text = string | { key: string, args?: Record<string, Text>, text: string };

/**
 * The closed list of things that can go wrong, as a consumer tells them apart.
 *
 * A variant is added only when some view acts differently on it.
 */
export type Code = "usage" | "failed" | "gateway-not-found" | "gateway-unreachable" | "gateway-auth" | "gateway-refused" | "config-unsupported" | "config-conflict" | "port-taken" | "permission" | "storage" | "no-address" | "certificate" | "verify-failed" | "rolled-back" | "cancelled" | "drift" | "needs-confirmation" | "busy" | "not-found" | "widened" | "not-running" | "already-running" | "version";

/**
 * What went wrong, for a person and for a program. Never holds a secret.
 */
export type ErrorEnvelope = { 
/**
 * The closed code.
 */
code: Code, 
/**
 * One sentence: what happened.
 */
title: Text, 
/**
 * One or two sentences: why.
 */
because: Text, 
/**
 * What was measured, a line each.
 */
evidence: Array<Text>, 
/**
 * What to do next. In a box: an error travels through many a `Result` whose good side is small.
 */
fix?: Fix, };

/**
 * The next step that cures an error.
 */
export type Fix = { 
/**
 * What a person does, as a sentence.
 */
text: Text, 
/**
 * The same as a command line, where one exists.
 */
command?: string, };

/**
 * Who may reach the gateway.
 */
export type Scope = "mac" | "lan" | "internet";

/**
 * What the user wants.
 */
export type Desired = { "state": "off" } | { "state": "open", 
/**
 * For whom.
 */
scope: Scope, 
/**
 * Names that the user added to those found on the machine.
 */
hosts: Array<string>, 
/**
 * The HTTPS port that the user chose; `None` = none was.
 */
port?: number, 
/**
 * The port that redirects, where the user chose one.
 */
redirect_port?: number, 
/**
 * The only CIDR blocks whose clients get in, beside this machine; empty = the scope's own rule.
 */
only?: Array<string>, };

/**
 * What is proven.
 */
export type Actual = { "state": "off" } | { "state": "preparing", 
/**
 * The step that runs now.
 */
step: StepId, 
/**
 * Its number, from 1.
 */
number: number, 
/**
 * How many steps there are.
 */
of: number, } | { "state": "on", 
/**
 * The newest proof.
 */
proof: Proof, } | { "state": "degraded", 
/**
 * The newest proof, if one was ever made.
 */
proof?: Proof, } | { "state": "paused", 
/**
 * When access resumes by itself; `None` = until told.
 */
until?: string, } | { "state": "blocked", 
/**
 * Why.
 */
cause: Cause, };

/**
 * Why the address cannot be opened.
 */
export type Cause = { 
/**
 * The closed code.
 */
code: Code, 
/**
 * One sentence.
 */
text: Text, };

/**
 * Which client reached which address over which protocol, and when. It expires after five minutes.
 */
export type Proof = { 
/**
 * The address that was reached, as a user types it.
 */
url: string, 
/**
 * The address that the client came from.
 */
from: string, 
/**
 * For example `TLS 1.3, HTTP/1.1, WebSocket`.
 */
protocol: string, 
/**
 * When the client succeeded.
 */
at: string, };

/**
 * From where an address can be reached.
 */
export type AddressScope = "mac" | "lan" | "tailnet" | "internet";

/**
 * Who trusts the certificate that this address presents.
 */
export type TrustedBy = "local-ca" | "public" | "issuer";

/**
 * One HTTPS address.
 */
export type Address = { 
/**
 * As a user types it; no default port, no trailing slash: this is also its origin.
 */
url: string, 
/**
 * From where it can be reached.
 */
scope: AddressScope, 
/**
 * When a client last reached it from outside; `None` = not yet, or it failed.
 */
verified_at: string | null, 
/**
 * Who trusts its certificate.
 */
trusted_by: TrustedBy, };

/**
 * The certificate that is served.
 */
export type CertSummary = { 
/**
 * Common name of the issuer.
 */
issuer: string, 
/**
 * First moment of validity.
 */
not_before: string, 
/**
 * Last moment of validity.
 */
not_after: string, 
/**
 * DNS names and IP addresses, as text.
 */
names: Array<string>, 
/**
 * SHA-256 of the leaf, upper-case hex with colons.
 */
sha256: string, 
/**
 * SHA-256 of the local certificate authority, upper-case hex with colons, where it issued the leaf.
 */
ca_sha256?: string, };

/**
 * Where a certificate comes from.
 */
export type CertificateKind = "local" | "acme" | "imported";

/**
 * One word for a certificate.
 */
export type CertificateState = "missing" | "valid" | "expiring" | "expired";

/**
 * How far an order is.
 */
export type OrderStage = "begun" | "ordered" | "proving" | "signing" | "stored";

/**
 * When an authority wants a certificate renewed (RFC 9773).
 */
export type RenewalWindow = { 
/**
 * Its first moment.
 */
start: string, 
/**
 * Its last moment.
 */
end: string, };

/**
 * One certificate: served, or wanted.
 */
export type Certificate = { 
/**
 * The same for as long as it is wanted: `local`, `acme:…`, `imported:…`.
 */
id: string, 
/**
 * Where it comes from.
 */
kind: CertificateKind, 
/**
 * One word.
 */
state: CertificateState, 
/**
 * DNS names and IP addresses, as text.
 */
names: Array<string>, 
/**
 * Common name of whoever signed it; `None` = there is none yet.
 */
issuer?: string, 
/**
 * First moment of validity.
 */
not_before?: string, 
/**
 * Last moment of validity.
 */
not_after?: string, 
/**
 * How much of its life is left, in percent.
 */
life_left?: number, 
/**
 * SHA-256 of the leaf, upper-case hex with colons.
 */
sha256?: string, 
/**
 * What people call the authority that is asked for it (ACME).
 */
authority?: string, 
/**
 * How far the order is that is on its way.
 */
stage?: OrderStage, 
/**
 * When it is renewed, or tried next; `None` = not by itself.
 */
next_attempt?: string, 
/**
 * When the authority wants it renewed (ARI), where it says so; [`Self::next_attempt`] is drawn from it.
 */
window?: RenewalWindow, 
/**
 * The file that is watched; `None` = nothing of the user's is.
 */
source?: string, 
/**
 * The kind of its key: `ECDSA`, `Ed25519` or `RSA`, where that was looked at.
 */
key_type?: string, 
/**
 * Whether this system trusts it, and so every device, where that was looked at.
 */
trusted?: boolean, 
/**
 * What is wrong with it, and what a person can do.
 */
problem?: Problem, };

/**
 * A file of the user, by its content.
 */
export type ImportFile = { 
/**
 * What it is called, for messages.
 */
name: string, 
/**
 * Its bytes, in base64: it may hold a key.
 */
content: SecretText, };

/**
 * Where a certificate is to be taken from.
 */
export type ImportFrom = { "from": "content", 
/**
 * One or more.
 */
files: Array<ImportFile>, 
/**
 * The password of a PKCS#12 file.
 */
password: SecretText | null, } | { "from": "files", 
/**
 * The certificate with its chain, perhaps with the key; or a PKCS#12 file.
 */
certificate: string, 
/**
 * The key, where it is in a file of its own.
 */
key: string | null, 
/**
 * A file with the password of the PKCS#12 file.
 */
password_file: string | null, };

/**
 * Whose certificates a name wants from its clients.
 */
export type CertificateRule = { 
/**
 * The name or address.
 */
host: string, 
/**
 * A file with the authorities' certificates (PEM); `None` = Gatehouse's own authority for clients.
 */
ca: string | null, 
/**
 * Files with lists of revoked certificates.
 */
crls: Array<string>, 
/**
 * What is wrong with these files.
 */
problem?: Text, 
/**
 * Until when the lists of revoked certificates are good; nobody gets in afterwards.
 */
crl_due?: string, };

/**
 * A certificate that Gatehouse gave to a client.
 */
export type ClientCertificate = { 
/**
 * Its serial number: lower-case hex.
 */
serial: string, 
/**
 * What the user calls the client.
 */
label: string, 
/**
 * SHA-256 of the certificate, upper-case hex with colons.
 */
sha256: string, 
/**
 * When it was given.
 */
issued_at: string, 
/**
 * Last moment of validity.
 */
not_after: string, 
/**
 * When it was taken back.
 */
revoked_at?: string, };

/**
 * Certificates of clients: who wants them, who has them.
 */
export type ClientCertificates = { 
/**
 * Names that want one.
 */
rules: Array<CertificateRule>, 
/**
 * Those that Gatehouse gave, oldest first.
 */
certificates: Array<ClientCertificate>, };

/**
 * In which form a client gets its certificate with its key.
 */
export type ClientForm = "pkcs12" | "pkcs12-old" | "pem";

/**
 * A new certificate of a client, with its key: nobody else has it.
 */
export type IssuedClient = { 
/**
 * What was given.
 */
certificate: ClientCertificate, 
/**
 * The file, in base64.
 */
content: SecretText, 
/**
 * The password that was made up for it; `None` = it has none, or one that the user gave.
 */
password: SecretText | null, };

/**
 * A way to prove a name to an authority.
 */
export type ProofWay = "tls-alpn-01" | "http-01" | "dns-01";

/**
 * Who sets TXT records. The secret that it needs is kept apart.
 */
export type DnsSetup = { "provider": "cloudflare" } | { "provider": "rfc2136", 
/**
 * Address and port of the server.
 */
server: string, 
/**
 * The zone.
 */
zone: string, 
/**
 * Name of the key on the server.
 */
key_name: string, 
/**
 * `hmac-sha256`, `hmac-sha384` or `hmac-sha512`.
 */
algorithm: string, 
/**
 * How long a record takes until everybody sees it, in seconds.
 */
settle: number, } | { "provider": "hook", 
/**
 * Its whole path.
 */
program: string, 
/**
 * How long a record takes until everybody sees it, in seconds.
 */
settle: number, };

/**
 * What is to be changed about public certificates. What is `None` or empty stays as it is.
 */
export type AcmeSetup = { 
/**
 * One certificate for these names and addresses, beside those that are wanted already.
 */
names: Array<string>, 
/**
 * Where authorities may write.
 */
email: string | null, 
/**
 * The user has read the authority's terms and agrees.
 */
agree_terms: boolean, 
/**
 * The authority to ask: a name that Gatehouse knows, or the address of a directory. It becomes the first; those
 * before it are asked when it fails.
 */
authority: string | null, 
/**
 * Ask this authority alone, no other.
 */
only_authority: boolean, 
/**
 * Certificates (PEM) by which a private authority's own address is trusted.
 */
roots: string | null, 
/**
 * Key identifier of the account on the authority's web site.
 */
external_key_id: string | null, 
/**
 * Its key.
 */
external_key: SecretText | null, 
/**
 * The ways that may be used, the first to try first.
 */
ways: Array<ProofWay>, 
/**
 * Who sets TXT records.
 */
dns: DnsSetup | null, 
/**
 * The secret of [`Self::dns`]: an API token, or the shared key in base64.
 */
dns_secret: SecretText | null, 
/**
 * Whether renewals keep the key, for clients that know the public key.
 */
reuse_key: boolean | null, };

/**
 * An authority that is asked.
 */
export type AcmeAuthority = { 
/**
 * Where ACME begins.
 */
directory: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * Whether its terms are agreed to.
 */
agreed: boolean, 
/**
 * The account's address at the authority; `None` = there is no account yet.
 */
account: string | null, 
/**
 * Where it may write; empty = nowhere.
 */
email: string, 
/**
 * Key identifier of the account on its web site.
 */
external_key_id?: string, 
/**
 * Whether it is trusted by certificates that the user gave.
 */
private: boolean, };

/**
 * An authority that Gatehouse knows by name.
 */
export type KnownAuthority = { 
/**
 * What [`AcmeSetup::authority`] calls it.
 */
id: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * Where ACME begins.
 */
directory: string, 
/**
 * Whether it wants an account of its web site.
 */
external_account: boolean, 
/**
 * Whether a dry run with it is possible.
 */
staging: boolean, };

/**
 * What an authority says of itself, asked now.
 */
export type AcmeDirectory = { 
/**
 * Where ACME begins.
 */
directory: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * Where its terms are; `None` = it has none, or does not say.
 */
terms: string | null, 
/**
 * Its web site.
 */
website: string | null, 
/**
 * Whether it wants an account of its web site.
 */
external_account: boolean, 
/**
 * Whether a dry run with it is possible.
 */
staging: boolean, 
/**
 * Whether its terms are agreed to.
 */
agreed: boolean, 
/**
 * Our account's address there; `None` = there is no account yet.
 */
account: string | null, };

/**
 * How public certificates are got.
 */
export type AcmeState = { 
/**
 * Whether certificates can be asked for.
 */
ready: boolean, 
/**
 * Authorities, the first to ask first.
 */
authorities: Array<AcmeAuthority>, 
/**
 * Where authorities may write; empty = nowhere.
 */
email: string, 
/**
 * The ways that may be used, the first to try first.
 */
ways: Array<ProofWay>, 
/**
 * Who sets TXT records.
 */
dns?: DnsSetup, 
/**
 * Whether renewals keep the key.
 */
reuse_key: boolean, 
/**
 * Authorities that can be named in a setup.
 */
known: Array<KnownAuthority>, 
/**
 * Names that are wanted whatever is open, one list for each certificate.
 */
wanted: Array<Array<string>>, 
/**
 * The public certificates.
 */
certificates: Array<Certificate>, };

/**
 * One attempt to get a certificate.
 */
export type AcmeAttempt = { 
/**
 * When it ended.
 */
at: string, 
/**
 * What the certificate is for.
 */
names: Array<string>, 
/**
 * What people call the authority.
 */
authority: string, 
/**
 * What went wrong; `None` = it gave a certificate.
 */
problem?: Problem, };

/**
 * How much a finding weighs.
 */
export type Weight = "good" | "doubt" | "hindrance";

/**
 * Something that was looked at before an attempt is spent.
 */
export type PreflightFinding = { 
/**
 * The name or address that it is about; `None` = all.
 */
name?: string, 
/**
 * How much it weighs.
 */
weight: Weight, 
/**
 * What was found, as a sentence.
 */
text: Text, 
/**
 * What a person can do.
 */
fix?: Fix, };

/**
 * What was found before an attempt is spent, worst first.
 */
export type Preflight = { 
/**
 * Whether nothing hinders, as far as can be seen from here.
 */
passed: boolean, 
/**
 * One for each thing that was looked at.
 */
findings: Array<PreflightFinding>, };

/**
 * A dry run.
 */
export type AcmeTest = { 
/**
 * What was looked at first.
 */
preflight: Preflight, 
/**
 * The authority that was asked; `None` = none was, because of the preflight or because none can be asked without
 * counting.
 */
authority?: string, 
/**
 * Whether everything worked that was tried.
 */
works: boolean, 
/**
 * What failed.
 */
error?: ErrorEnvelope, };

/**
 * One word for the state of the gateway.
 */
export type GatewayVerdict = "running" | "starting" | "auth-refused" | "stopped" | "port-taken" | "not-found";

/**
 * For whom Gatehouse's job runs.
 */
export type PresenceScope = "user" | "system";

/**
 * One word for the state of the job.
 */
export type PresenceState = "not-installed" | "running" | "restarting" | "stopped" | "switched-off" | "unknown";

/**
 * The job.
 */
export type Presence = { 
/**
 * For whom.
 */
scope: PresenceScope, 
/**
 * As whom it runs: a login name.
 */
user: string, 
/**
 * `launchd` or `systemd`.
 */
manager: string, 
/**
 * A launchd label or a systemd unit.
 */
name: string, 
/**
 * The file that describes it, whether or not it is there.
 */
file: string, 
/**
 * One word.
 */
state: PresenceState, 
/**
 * One sentence under the word.
 */
detail?: Text, 
/**
 * The program that it starts.
 */
program?: string, 
/**
 * The version that was installed.
 */
version?: string, 
/**
 * Its process.
 */
pid?: number, 
/**
 * What needs attention, worst first.
 */
problems: Array<Problem>, };

/**
 * Whether the machine is kept awake.
 */
export type AwakeState = "not-needed" | "held" | "switched-off" | "on-battery" | "refused";

/**
 * How one point stands.
 */
export type ReadinessState = "ready" | "attention" | "unknown";

/**
 * One point that decides whether the address stays reachable by itself.
 */
export type ReadinessPoint = { 
/**
 * Which: `service`, `awake`, `sleep`, `login`, `disk`, `power-cut`, `linger`, `lid`, `updates`, `firewall`.
 */
id: string, 
/**
 * How it stands.
 */
state: ReadinessState, 
/**
 * One sentence: what is so.
 */
title: Text, 
/**
 * What that means.
 */
because: Text, 
/**
 * What a person may do. Gatehouse never does it by itself.
 */
fix?: Fix, };

/**
 * Everything about that.
 */
export type AlwaysOn = { 
/**
 * Gatehouse's own jobs, as far as there are any.
 */
services: Array<Presence>, 
/**
 * Whether the machine is kept awake now.
 */
awake: AwakeState, 
/**
 * The points, what needs attention first.
 */
points: Array<ReadinessPoint>, };

/**
 * One word for who runs the gateway and how that stands, from three signals: the service manager, the owner of the
 * port, and what the port answers.
 */
export type GatewayServiceState = "runs" | "starting" | "own" | "hand-started" | "duplicate" | "two-services" | "crash-loop" | "switched-off" | "not-loaded" | "stopped" | "no-session" | "no-manager" | "port-drift" | "version-drift" | "port-taken" | "not-installed";

/**
 * One step of a repair.
 */
export type RepairStep = { 
/**
 * What it does, as a sentence.
 */
text: Text, 
/**
 * The same as a command line.
 */
command: string, };

/**
 * Who runs the gateway.
 */
export type GatewayService = { 
/**
 * One word.
 */
state: GatewayServiceState, 
/**
 * One sentence: what.
 */
title: Text, 
/**
 * One or two sentences: why.
 */
because: Text, 
/**
 * What to do next, where something is to be done.
 */
fix?: Fix, 
/**
 * `launchd` or `systemd`.
 */
manager: string, 
/**
 * A launchd label or a systemd unit.
 */
name: string, 
/**
 * The file that describes the service, where there is one.
 */
file?: string, 
/**
 * What the service manager says.
 */
job: Text, 
/**
 * Who has the port.
 */
port: Text, 
/**
 * What the port answers.
 */
health: Text, 
/**
 * The version of the `openclaw` that is installed.
 */
installed_version?: string, 
/**
 * What a repair would do, in order; empty = nothing that could be done here.
 */
repairs: Array<RepairStep>, };

/**
 * What a repair does, or did.
 */
export type GatewayRepair = { 
/**
 * Whether it was done, not only shown.
 */
done: boolean, 
/**
 * Its steps.
 */
steps: Array<RepairStep>, 
/**
 * Who runs the gateway: before (shown) or after (done).
 */
service: GatewayService, };

/**
 * Where the gateway takes its token from.
 */
export type TokenPlace = "configuration" | "store" | "elsewhere" | "nowhere" | "not-used";

/**
 * Whether the token can be had.
 */
export type TokenState = "known" | "locked" | "denied" | "missing" | "replaced" | "unavailable" | "unknown" | "absent";

/**
 * The gateway's shared token.
 */
export type GatewayToken = { 
/**
 * Where the gateway takes it from.
 */
place: TokenPlace, 
/**
 * Whether it can be had.
 */
state: TokenState, 
/**
 * One sentence: what.
 */
title: Text, 
/**
 * One or two sentences: why, and what it means.
 */
because: Text, 
/**
 * What to do next, where something is to be done.
 */
fix?: Fix, 
/**
 * Where Gatehouse keeps secrets: `keychain`, `secret-service` or `file` (0600).
 */
store: string, 
/**
 * Whether Gatehouse keeps this token there.
 */
stored: boolean, 
/**
 * Whether the running gateway takes it; `None` = it could not be asked.
 */
accepted: boolean | null, 
/**
 * What a new token would sign out, a line each.
 */
signs_out: Array<Text>, };

/**
 * What can be done with the token.
 */
export type TokenEdit = { "edit": "generate" } | { "edit": "rotate", 
/**
 * By this one; `None` = one is made.
 */
secret: SecretText | null, } | { "edit": "use-store" } | { "edit": "use-plain" };

/**
 * The gateway behind the edge.
 */
export type GatewaySummary = { 
/**
 * Its version, once it told us.
 */
version: string | null, 
/**
 * Its process id, once it told us or the port's owner is known.
 */
pid: number | null, 
/**
 * Where it listens, for example `http://127.0.0.1:18789`.
 */
url: string, 
/**
 * One word.
 */
verdict: GatewayVerdict, 
/**
 * One sentence under the word.
 */
detail?: Text, 
/**
 * Its configuration file.
 */
config_path?: string, 
/**
 * Whether Gatehouse started it and restarts it.
 */
supervised: boolean, 
/**
 * Who runs it; `None` = not looked at yet.
 */
service?: GatewayService, };

/**
 * How many devices there are.
 */
export type DeviceCounts = { 
/**
 * Waiting for approval.
 */
pending: number, 
/**
 * With a key of their own.
 */
paired: number, };

/**
 * The newest change that can be undone.
 */
export type LastChange = { 
/**
 * Its id, as `undo` takes it.
 */
id: string, 
/**
 * What it did, for example `Open to local network`.
 */
title: Text, 
/**
 * When it was committed.
 */
at: string, 
/**
 * Until when it is offered for undo.
 */
undo_until: string | null, 
/**
 * When it reverts by itself unless confirmed.
 */
confirm_by?: string, };

/**
 * Where the edge listens.
 */
export type ListenerSummary = { 
/**
 * The HTTPS port.
 */
port: number, 
/**
 * Why it is not 443, where it is not.
 */
port_reason?: Text, 
/**
 * The port that redirects plain HTTP, where one could be had.
 */
redirect_port?: number, 
/**
 * Why there is none.
 */
redirect_reason?: Text, 
/**
 * Why WebSocket over HTTP/2 is not offered; `None` = it is.
 */
http2_websocket_reason?: Text, 
/**
 * Connections open now.
 */
connections: number, 
/**
 * WebSocket tunnels open now.
 */
websockets: number, 
/**
 * How many connections may be open at once: the limit, or what the system's descriptors allow.
 */
connections_limit?: number, 
/**
 * The limits in force by their names in `config get`, as a person writes them.
 */
limits?: { [key in string]: string }, };

/**
 * Something that needs attention and does not stop the service.
 */
export type Problem = { 
/**
 * The closed code.
 */
code: Code, 
/**
 * One sentence: what.
 */
title: Text, 
/**
 * One or two sentences: why, with what was measured.
 */
because: Text, 
/**
 * What to do next.
 */
fix?: Fix, };

/**
 * How a port of the router stands.
 */
export type MappingState = "opening" | "open" | "failed";

/**
 * A port that the home's router opens to the internet and passes on to this machine.
 */
export type PortMapping = { 
/**
 * How it stands.
 */
state: MappingState, 
/**
 * The port on the router.
 */
port: number, 
/**
 * The port here.
 */
to: number, 
/**
 * The router, as this machine reaches it.
 */
router?: string, 
/**
 * Where the internet reaches it, for example `203.0.113.7:443`.
 */
external?: string, 
/**
 * How the router was told: `PCP`, `NAT-PMP` or `UPnP`.
 */
protocol?: string, 
/**
 * When the router last said yes.
 */
renewed_at?: string, 
/**
 * When the router forgets it unless it is renewed; `None` = never.
 */
until?: string, 
/**
 * Why it is not open.
 */
problem?: Problem, 
/**
 * When it is tried again.
 */
retry_at?: string, };

/**
 * One address of this machine.
 */
export type NetworkAddress = { 
/**
 * The address.
 */
address: string, 
/**
 * Its interface.
 */
interface: string, 
/**
 * How far it reaches; `mac` = this machine or this link only.
 */
reach: AddressScope, 
/**
 * A privacy address that the system replaces every day: it is not handed out.
 */
temporary: boolean, 
/**
 * On its way out, or not proven to be the only one: it is not handed out.
 */
deprecated: boolean, 
/**
 * Whether it is one of the addresses that are open.
 */
open: boolean, };

/**
 * An address that this machine had not long ago.
 */
export type KeptAddress = { 
/**
 * As a user types it.
 */
url: string, 
/**
 * Until when it stays in the certificate and its origin in the gateway's list.
 */
until: string, };

/**
 * What one source says of the address under which the internet sees this network.
 */
export type PublicAddress = { 
/**
 * `router`, `interface`, or the URL of an echo that the user named.
 */
source: string, 
/**
 * What it said.
 */
address?: string, 
/**
 * Why it said nothing, or why what it said is of no use.
 */
problem?: Text, };

/**
 * Where this machine is on its network.
 */
export type Network = { 
/**
 * The plain host name.
 */
host?: string, 
/**
 * The name that multicast DNS (Bonjour) answers to.
 */
bonjour?: string, 
/**
 * The router of the default route.
 */
router?: string, 
/**
 * All addresses but loopback.
 */
addresses: Array<NetworkAddress>, 
/**
 * Addresses of before that are still accepted.
 */
kept: Array<KeptAddress>, 
/**
 * The router's port, where one is wanted.
 */
mapping?: PortMapping, 
/**
 * The public addresses, each with who says so.
 */
public: Array<PublicAddress>, 
/**
 * What keeps others from reaching this machine, what needs attention first.
 */
points: Array<ReadinessPoint>, };

/**
 * Everything a view may show. `status --json` prints it.
 */
export type Snapshot = { 
/**
 * Always [`crate::SCHEMA`].
 */
schema: number, 
/**
 * Gatehouse's own version.
 */
version: string, 
/**
 * What the user wants.
 */
desired: Desired, 
/**
 * What is proven.
 */
actual: Actual, 
/**
 * The HTTPS addresses, best first.
 */
addresses: Array<Address>, 
/**
 * The certificate of the best address.
 */
cert: CertSummary | null, 
/**
 * All certificates: those that are served, and those that are wanted.
 */
certificates: Array<Certificate>, 
/**
 * The gateway.
 */
gateway: GatewaySummary, 
/**
 * How many devices there are.
 */
devices: DeviceCounts, 
/**
 * The newest change that can be undone.
 */
last_change: LastChange | null, 
/**
 * Where the edge listens; `None` = it does not.
 */
listener: ListenerSummary | null, 
/**
 * The router's port, where one is wanted.
 */
mapping?: PortMapping, 
/**
 * What needs attention, worst first.
 */
problems: Array<Problem>, 
/**
 * Certificates that come to their end: the one that is served, and its authority.
 */
expiring: Array<Expiring>, 
/**
 * Where secrets are kept: `keychain`, `secret-service` or `file`.
 */
secrets: string, 
/**
 * Process id of the core.
 */
pid: number, };

/**
 * A step of a transaction, in the order of `design.md` §3.
 */
export type StepId = "find-gateway" | "authentication" | "loopback" | "certificate" | "listen" | "map-port" | "issue" | "configure" | "verify" | "commit";

/**
 * A step of a plan.
 */
export type PlanStep = { 
/**
 * Which.
 */
id: StepId, 
/**
 * What it will do, as a sentence.
 */
title: Text, 
/**
 * Details, a line each: values, before and after.
 */
details: Array<Text>, 
/**
 * Whether it changes anything; `false` = already as it should be.
 */
changes: boolean, };

/**
 * What a request would do. Making it changes nothing.
 */
export type Plan = { 
/**
 * What, in one line.
 */
title: Text, 
/**
 * The steps in order.
 */
steps: Array<PlanStep>, 
/**
 * Whether the gateway restarts.
 */
restarts_gateway: boolean, 
/**
 * Whether open WebSocket connections to the gateway are dropped once (a change of trusted proxies does that).
 */
drops_connections: boolean, 
/**
 * The addresses that will be opened.
 */
addresses: Array<string>, 
/**
 * What the user should know before saying yes.
 */
warnings: Array<Text>, };

/**
 * How far a step got.
 */
export type StepState = "running" | "done" | "skipped" | "failed" | "rolled-back";

/**
 * What kind of change it was.
 */
export type ChangeKind = "open" | "close" | "origins" | "settings" | "certificates" | "token" | "undo";

/**
 * How a change ended.
 */
export type ChangeState = "running" | "awaiting-confirmation" | "committed" | "rolled-back" | "rollback-pending" | "undone";

/**
 * One line of the history.
 */
export type HistoryEntry = { 
/**
 * Its id, as `undo` takes it.
 */
id: string, 
/**
 * What kind.
 */
kind: ChangeKind, 
/**
 * What it did, in one line.
 */
title: Text, 
/**
 * How it ended.
 */
state: ChangeState, 
/**
 * When it began.
 */
at: string, 
/**
 * Until when it is offered for undo.
 */
undo_until: string | null, 
/**
 * What it changed in the gateway's configuration and in the settings of the edge, a line each.
 */
details: Array<Text>, };

/**
 * The result of a change.
 */
export type Change = { 
/**
 * Its id, as `undo` takes it; `None` = there was nothing to do.
 */
id: string | null, 
/**
 * What it did, in one line.
 */
title: Text, 
/**
 * How it ended.
 */
state: ChangeState | null, 
/**
 * What the user should know: drift that was left alone, a port that is not 443.
 */
warnings: Array<Text>, 
/**
 * When it reverts by itself unless confirmed.
 */
confirm_by?: string, };

/**
 * What the edge saw of the same client. `None` in its place means: it did not come through Gatehouse.
 */
export type EdgeSighting = { 
/**
 * The client's address as the edge attributed it.
 */
client: string, 
/**
 * The name it asked for, with its port.
 */
host: string, 
/**
 * `TLS 1.3` or `TLS 1.2`.
 */
tls: string, 
/**
 * A short name of browser and system from its User-Agent, for example `Safari on iPhone`.
 */
agent: string | null, 
/**
 * When it was first seen since this core started.
 */
first_seen: string, 
/**
 * When it was last seen.
 */
last_seen: string, };

/**
 * A device that waits for approval.
 */
export type PendingDevice = { 
/**
 * SHA-256 of its public key, lower-case hex: what an approval is bound to.
 */
device_id: string, 
/**
 * The newest request of that key; clients replace it every few seconds.
 */
request_id: string, 
/**
 * What it calls itself, else what the edge knows of it, else its platform.
 */
name: string, 
/**
 * As it says.
 */
platform: string | null, 
/**
 * `operator` or `node`.
 */
role: string, 
/**
 * What it asks for.
 */
scopes: Array<string>, 
/**
 * As the gateway saw it.
 */
remote_ip: string | null, 
/**
 * What the edge saw of the same client.
 */
via_edge: EdgeSighting | null, 
/**
 * Whether this key is already paired, so that approving replaces what it has.
 */
is_repair: boolean, 
/**
 * When it asked.
 */
asked_at: string | null, };

/**
 * A device that is paired.
 */
export type PairedDevice = { 
/**
 * SHA-256 of its public key, lower-case hex.
 */
device_id: string, 
/**
 * `None`: kept so that both lists have the same keys.
 */
request_id: string | null, 
/**
 * The label given by the user, else what it calls itself, else its platform.
 */
name: string, 
/**
 * As it says.
 */
platform: string | null, 
/**
 * `operator` or `node`.
 */
role: string, 
/**
 * What it may do.
 */
scopes: Array<string>, 
/**
 * As the gateway last saw it.
 */
remote_ip: string | null, 
/**
 * What the edge saw of the same client.
 */
via_edge: EdgeSighting | null, 
/**
 * How it was approved: `owner`, `silent`, `bootstrap` and so on.
 */
approved_via: string | null, 
/**
 * Whether it is connected now.
 */
connected: boolean, 
/**
 * When it was last seen.
 */
last_seen: string | null, 
/**
 * When Gatehouse revokes it; `None` = never.
 */
expires_at: string | null, };

/**
 * A device whose time was over.
 */
export type ExpiredDevice = { 
/**
 * SHA-256 of its public key, lower-case hex.
 */
device_id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * When Gatehouse revoked it.
 */
at: string, 
/**
 * Whether it could come back by itself, because it may know the shared token or password.
 */
can_return: boolean, 
/**
 * How, and what would stop it, as a sentence.
 */
note: Text, };

/**
 * All devices.
 */
export type DeviceList = { 
/**
 * Waiting, oldest first.
 */
pending: Array<PendingDevice>, 
/**
 * Paired, last seen first.
 */
paired: Array<PairedDevice>, 
/**
 * Revoked because their time was over, newest first; those of the last week.
 */
expired: Array<ExpiredDevice>, };

/**
 * What a revocation did, and what it did not.
 */
export type RevokeReport = { 
/**
 * The device.
 */
device_id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Whether it could come back by itself, because it may know the shared token or password.
 */
can_return: boolean, 
/**
 * How, and what would stop it, as a sentence.
 */
note: Text, 
/**
 * Whether the shared token was replaced, as asked.
 */
token_rotated: boolean, };

/**
 * Who put an origin into the gateway's list.
 */
export type OriginOwner = "gatehouse" | "user";

/**
 * An entry of `gateway.controlUi.allowedOrigins`.
 */
export type OriginEntry = { 
/**
 * As it stands in the file.
 */
origin: string, 
/**
 * Who put it there.
 */
owner: OriginOwner, 
/**
 * Why it will never match a browser, where it will not (a trailing slash, `:443`, no scheme, a glob).
 */
never_matches?: Text, 
/**
 * When the edge last saw a browser use it.
 */
last_seen: string | null, };

/**
 * The gateway's list.
 */
export type OriginList = { 
/**
 * In file order.
 */
origins: Array<OriginEntry>, };

/**
 * An origin that a browser sent through the edge.
 */
export type OriginSeen = { 
/**
 * As the browser sent it.
 */
origin: string, 
/**
 * How often.
 */
count: number, 
/**
 * Whether the gateway refused it the last time.
 */
refused: boolean, 
/**
 * The client that sent it last.
 */
client: string, 
/**
 * When.
 */
last_seen: string, };

/**
 * Whether an origin gets in, and by which rule.
 */
export type OriginVerdict = "listed" | "wildcard" | "private-same-origin" | "refused" | "not-an-origin";

/**
 * The answer to "would this origin get in?".
 */
export type OriginTest = { 
/**
 * What was asked.
 */
origin: string, 
/**
 * What a browser would send for it.
 */
canonical: string | null, 
/**
 * The verdict.
 */
verdict: OriginVerdict, 
/**
 * Why, as a sentence.
 */
because: Text, };

/**
 * Who made a response.
 */
export type Answerer = "edge" | "gateway";

/**
 * What was agreed for the connection.
 */
export type TlsFacts = { 
/**
 * `1.3` or `1.2`.
 */
version: string, 
/**
 * Name of the cipher suite.
 */
cipher: string, };

/**
 * What is known of a WebSocket when it has ended.
 */
export type WebSocketFacts = { 
/**
 * The close code that was sent first; `None` = the connection ended without one.
 */
close_code: number | null, 
/**
 * Who ended it: `client`, `gateway`, `edge`.
 */
closed_by: string, 
/**
 * How long it lived, in milliseconds.
 */
duration_ms: number, };

/**
 * One request, as the access log and `tail` show it.
 */
export type TrafficRecord = { 
/**
 * When the response began (for a WebSocket: when it ended).
 */
time: string, 
/**
 * The request id, also sent to the gateway and back to the client.
 */
id: string, 
/**
 * The client, as attributed.
 */
client: string, 
/**
 * What the client is called by the certificate that it proved.
 */
client_certificate?: string, 
/**
 * HTTP method.
 */
method: string, 
/**
 * Host with its port, as asked for.
 */
host: string, 
/**
 * Path without the query.
 */
path: string, 
/**
 * HTTP status.
 */
status: number, 
/**
 * Who answered.
 */
answered_by: Answerer, 
/**
 * The edge's error code, where the edge answered.
 */
error?: string, 
/**
 * Bytes of body (or tunnel) from the client.
 */
bytes_in: number, 
/**
 * Bytes of body (or tunnel) to the client.
 */
bytes_out: number, 
/**
 * From request to the end of the response, in milliseconds.
 */
ms: number, 
/**
 * `HTTP/1.1` or `HTTP/2`.
 */
protocol: string, 
/**
 * TLS facts; `None` on the redirect port.
 */
tls: TlsFacts | null, 
/**
 * For WebSockets.
 */
websocket?: WebSocketFacts, };

/**
 * Which records a viewer wants.
 */
export type TrafficFilter = { 
/**
 * A status such as `404` or a class such as `4xx`.
 */
status?: string, 
/**
 * Who answered.
 */
who?: Answerer, 
/**
 * An address or a CIDR block.
 */
client?: string, 
/**
 * Only WebSockets.
 */
websockets: boolean, };

/**
 * What to do.
 */
export type GatewayAction = "start" | "stop" | "restart" | "install" | "uninstall";

/**
 * The end of the gateway's log.
 */
export type GatewayLog = { 
/**
 * Where it comes from: a path.
 */
source: string, 
/**
 * Lines, oldest first. They hold no control character, and the gateway's secrets are left out of them.
 */
lines: Array<string>, };

/**
 * An entry of `gateway.trustedProxies`.
 */
export type TrustedProxy = { 
/**
 * As it stands in the list: an address or a network.
 */
address: string, 
/**
 * Whose entry it is.
 */
owner: OriginOwner, };

/**
 * Who may connect to the edge. This machine always may.
 */
export type ClientRule = { "rule": "nobody" } | { "rule": "this-machine" } | { "rule": "networks", 
/**
 * Which.
 */
networks: Array<string>, } | { "rule": "everybody" };

/**
 * Who gets to the gateway, and by which rule.
 */
export type AccessFacts = { 
/**
 * The proxies whose word about a client the gateway takes: `gateway.trustedProxies`; `None` = the
 * gateway's configuration could not be read.
 */
trusted_proxies: Array<TrustedProxy> | null, 
/**
 * The networks that this machine is attached to, in CIDR notation.
 */
networks: Array<string>, 
/**
 * Who may connect to the edge.
 */
clients: ClientRule, };

/**
 * A kind of place on this machine that keeps authorities.
 */
export type TrustKind = "login-keychain" | "system-store" | "chromium" | "firefox";

/**
 * Whether a place trusts the authority.
 */
export type TrustState = "trusted" | "not-trusted" | "unknown";

/**
 * An authority that this Gatehouse used before, and that a place still trusts or keeps.
 */
export type StaleAuthority = { 
/**
 * Its name there.
 */
name: string, 
/**
 * SHA-256, upper-case hex with colons.
 */
sha256: string, };

/**
 * A place, and what it thinks of the authority.
 */
export type TrustPlace = { 
/**
 * Its kind.
 */
kind: TrustKind, 
/**
 * Its path, by which a request names it.
 */
path: string, 
/**
 * Whether it trusts the authority, after what was asked.
 */
state: TrustState, 
/**
 * Whether something was changed there just now.
 */
changed: boolean, 
/**
 * Why it cannot be said, or was not done.
 */
because?: Text, 
/**
 * What a person can do about that.
 */
fix?: Fix, 
/**
 * Earlier authorities that are still there.
 */
stale: Array<StaleAuthority>, };

/**
 * Where this machine trusts the authority.
 */
export type TrustPlaces = { 
/**
 * The authority; `None` = there is none yet.
 */
ca_name: string | null, 
/**
 * The places that there are.
 */
places: Array<TrustPlace>, };

/**
 * A fingerprint in the forms that people compare.
 */
export type Fingerprint = { 
/**
 * Common name of the certificate's owner: the authority's name, or who issued the certificate.
 */
name: string, 
/**
 * SHA-256 of the certificate, upper-case hex with colons.
 */
sha256: string, 
/**
 * The same as words of the PGP word list, one for each byte. The first eight are enough to read aloud.
 */
words: Array<string>, 
/**
 * SHA-256 of the public key in base64, as `curl --pinnedpubkey sha256//…` takes it.
 */
public_key: string, };

/**
 * The fingerprints of what is served.
 */
export type Fingerprints = { 
/**
 * The certificate.
 */
certificate: Fingerprint, 
/**
 * The local certificate authority; `None` = it did not issue the certificate.
 */
authority: Fingerprint | null, };

/**
 * An app that remembers the certificate it saw, and refuses another one until its user agrees.
 */
export type Pin = { 
/**
 * The device: SHA-256 of its public key, lower-case hex.
 */
device_id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * The app, as it calls itself: `openclaw-ios`.
 */
client: string, 
/**
 * The name or address at which it connects.
 */
host: string, 
/**
 * SHA-256 of the certificate that it last saw, upper-case hex with colons.
 */
sha256: string, 
/**
 * SHA-256 of the certificate that is served there now; `None` = none is.
 */
now: string | null, 
/**
 * When it last saw it.
 */
seen: string, };

/**
 * Apps that remember certificates.
 */
export type Pins = { 
/**
 * One for each device, last seen first.
 */
pins: Array<Pin>, 
/**
 * From when on the local certificate is replaced by itself; `None` = there is none.
 */
renewal: string | null, 
/**
 * What those apps will show, and what their users do about it.
 */
steps: Array<Text>, };

/**
 * How near the end of a certificate is, as a share of its life.
 */
export type Nearness = "due" | "near" | "close" | "over";

/**
 * A certificate that comes to its end.
 */
export type Expiring = { 
/**
 * Which: `certificate` or `authority`, and its SHA-256 (upper-case hex with colons).
 */
sha256: string, 
/**
 * Whether it is the authority.
 */
authority: boolean, 
/**
 * How near.
 */
nearness: Nearness, 
/**
 * Its last moment.
 */
not_after: string, };

/**
 * A stage on the way from a device to the gateway, in this order.
 */
export type TestStage = "tcp" | "tls" | "health" | "websocket";

/**
 * How a stage came out.
 */
export type StageOutcome = "passed" | "failed" | "skipped";

/**
 * One stage.
 */
export type StageResult = { 
/**
 * Which.
 */
stage: TestStage, 
/**
 * How it came out.
 */
outcome: StageOutcome, 
/**
 * How long it took, in milliseconds; `None` = it was not tried.
 */
ms: number | null, 
/**
 * What was measured: addresses, versions, or why it failed.
 */
saw: string, };

/**
 * What came of reaching one address.
 */
export type AddressTest = { 
/**
 * The address, as a user types it.
 */
url: string, 
/**
 * Whether every stage passed.
 */
works: boolean, 
/**
 * The stages, in order; always all four.
 */
stages: Array<StageResult>, 
/**
 * What the failure means and what to do next.
 */
error?: ErrorEnvelope, };

/**
 * A secret on its way to a view: a link that logs in, a setup code. In JSON it is the text itself; `Debug` shows
 * nothing of it, and there is no `Display`, so that it gets into no log by accident.
 */
export type SecretText = string;

/**
 * A link that makes one browser an owner. It works once.
 */
export type SecretLink = { 
/**
 * The link. Whoever opens it first is an owner: show it only to the person who asked.
 */
url: SecretText, 
/**
 * The address in it.
 */
address: string, 
/**
 * When it stops working; `None` = the gateway did not say.
 */
expires_at: string | null, };

/**
 * What the OpenClaw app on a phone needs to connect. It works once.
 */
export type PhoneSetup = { 
/**
 * The code, as the app takes it pasted or as a QR code.
 */
code: SecretText, 
/**
 * Where it leads, as the app shows it: `wss://host:port`.
 */
gateway_url: string, 
/**
 * By which [`crate::Request::PhoneSetupStatus`] asks for it.
 */
setup_id: string | null, 
/**
 * When it stops working; `None` = the gateway did not say.
 */
expires_at: string | null, };

/**
 * Whether a setup code was used.
 */
export type PhoneSetupProgress = { 
/**
 * Whether the app has connected with it.
 */
done: boolean, 
/**
 * The device, once it has.
 */
device_id: string | null, 
/**
 * What the device calls itself.
 */
name: string | null, };

/**
 * A page on the local network from which one device gets the certificate authority.
 */
export type TrustInvite = { 
/**
 * The page: plain HTTP, because the device trusts nothing of ours yet. Compare the fingerprint.
 */
url: string, 
/**
 * When it closes, used or not.
 */
expires_at: string, 
/**
 * SHA-256 of the authority, upper-case hex with colons: the page shows it, too.
 */
ca_sha256: string, 
/**
 * The first eight bytes of it as words to read aloud: the page shows them, too.
 */
ca_words: Array<string>, 
/**
 * Its common name, as the device shows it.
 */
ca_name: string, };

/**
 * How far an invitation got.
 */
export type TrustInviteProgress = { 
/**
 * Whether the page can still be opened.
 */
open: boolean, 
/**
 * Addresses that opened the page.
 */
visitors: Array<string>, 
/**
 * Addresses that got the authority.
 */
fetched: Array<string>, };

/**
 * Of which kind the values of a setting are.
 */
export type ConfigKind = "time" | "time-or-none" | "count" | "size" | "switch" | "port-or-none" | "networks" | "urls" | "text";

/**
 * One setting.
 */
export type ConfigEntry = { 
/**
 * Its name, as `config set` takes it.
 */
key: string, 
/**
 * Its value in force.
 */
value: string, 
/**
 * Its value where nobody sets one.
 */
default: string, 
/**
 * Of which kind the value is.
 */
kind: ConfigKind, 
/**
 * The least value.
 */
least?: string, 
/**
 * The greatest value.
 */
most?: string, 
/**
 * What it is, as a sentence.
 */
about: Text, 
/**
 * Why the stored value is not in force.
 */
problem?: Text, };

/**
 * All settings.
 */
export type Configuration = { 
/**
 * What this version knows.
 */
entries: Array<ConfigEntry>, 
/**
 * Names of stored settings that mean nothing to this version. They are kept.
 */
unknown: Array<string>, };

/**
 * A setting that is to have another value.
 */
export type ConfigEdit = { 
/**
 * Its name.
 */
key: string, 
/**
 * As a person writes it; `None` = the default.
 */
value: string | null, };

/**
 * A step of a running change moved on.
 */
export type Progress = { 
/**
 * The change.
 */
change: string, 
/**
 * The step.
 */
step: StepId, 
/**
 * Its number, from 1.
 */
number: number, 
/**
 * How many steps there are.
 */
of: number, 
/**
 * How far it got.
 */
state: StepState, 
/**
 * What it did or why it failed, as a sentence.
 */
text: Text, };

/**
 * An event. A viewer that is too slow misses events and gets [`Event::Lagged`] instead; it then asks anew.
 */
export type Event = { "event": "snapshot", "data": Snapshot } | { "event": "progress", "data": Progress } | { "event": "devices", "data": DeviceList } | { "event": "traffic", "data": TrafficRecord } | { "event": "lagged", "data": { 
/**
 * How many.
 */
missed: number, } } | { "event": "stopping" };

/**
 * How an address is to be opened.
 */
export type OpenRequest = { 
/**
 * For whom.
 */
scope: Scope, 
/**
 * Names to serve beside those found on the machine.
 */
hosts: Array<string>, 
/**
 * The HTTPS port; `None` = 443 where it may be had, else 8443.
 */
port: number | null, 
/**
 * The port that redirects plain HTTP: `None` = 80 where it may be had; `Some(0)` = none.
 */
redirect_port: number | null, 
/**
 * The port that the home's router is asked to open to the internet and to pass on to the HTTPS port; `Some(0)` = the
 * same number; `None` = the router is not asked.
 */
map_port?: number, 
/**
 * Only clients in these CIDR blocks, beside this machine; empty = the scope's own rule.
 */
only: Array<string>, 
/**
 * Revert unless confirmed within so many seconds.
 */
confirm_within: number | null, };

/**
 * Narrower than what a device asks for, or exactly that.
 */
export type ApproveAs = "full" | "chat" | "read";

/**
 * How a certificate authority is exported.
 */
export type CaFormat = "pem" | "der" | "mobileconfig";

/**
 * The local certificate authority, ready for a file.
 */
export type CaExport = { 
/**
 * PEM text, or the profile; `DER` requests carry it in base64.
 */
content: string, 
/**
 * In which form.
 */
format: CaFormat, 
/**
 * Common name.
 */
name: string, 
/**
 * SHA-256, upper-case hex with colons.
 */
sha256: string, 
/**
 * Last moment of validity.
 */
not_after: string, };

/**
 * A request to the core. One variant per thing that a person can do.
 */
export type Request = { "method": "status" } | { "method": "plan-open", "params": OpenRequest } | { "method": "open", "params": OpenRequest } | { "method": "cancel-change" } | { "method": "plan-close", "params": { 
/**
 * Also forget certificates and the certificate authority.
 */
purge: boolean, } } | { "method": "close", "params": { 
/**
 * Also forget certificates and the certificate authority.
 */
purge: boolean, } } | { "method": "pause", "params": { 
/**
 * How long, in seconds; `None` = until told.
 */
seconds: number | null, } } | { "method": "resume" } | { "method": "confirm" } | { "method": "undo", "params": { 
/**
 * Which; `None` = the newest.
 */
id: string | null, 
/**
 * Also where somebody changed the value since.
 */
force_drift: boolean, } } | { "method": "plan-undo", "params": { 
/**
 * Which; `None` = the newest.
 */
id: string | null, } } | { "method": "history", "params": { 
/**
 * At most so many.
 */
limit: number, } } | { "method": "origins-list" } | { "method": "origins-add", "params": { 
/**
 * As a user types it; it is normalised to what a browser sends.
 */
origin: string, } } | { "method": "origins-remove", "params": { 
/**
 * As it stands in the list.
 */
origin: string, } } | { "method": "origins-test", "params": { 
/**
 * As a user types it.
 */
origin: string, } } | { "method": "origins-seen", "params": { 
/**
 * Only those that the gateway refused.
 */
refused_only: boolean, } } | { "method": "devices-list" } | { "method": "devices-approve", "params": { 
/**
 * Device id or an unambiguous beginning of it.
 */
device: string, 
/**
 * With which access.
 */
access: ApproveAs, 
/**
 * A label for it.
 */
label: string | null, 
/**
 * The scopes that were shown to the user. If the device now asks for more, the answer is `widened`.
 */
shown_scopes: Array<string> | null, 
/**
 * Revoke it after so many seconds; `None` = when it was set for this key before, else never.
 */
expires_in: number | null, } } | { "method": "devices-expire", "params": { 
/**
 * Device id or an unambiguous beginning of it.
 */
device: string, 
/**
 * After so many seconds from now; `None` = never.
 */
expires_in: number | null, } } | { "method": "devices-deny", "params": { 
/**
 * Device id or an unambiguous beginning of it.
 */
device: string, } } | { "method": "devices-revoke", "params": { 
/**
 * Device id or an unambiguous beginning of it.
 */
device: string, 
/**
 * Also replace the shared token, so that the device cannot come back with it.
 */
rotate_token: boolean, } } | { "method": "devices-rename", "params": { 
/**
 * Device id or an unambiguous beginning of it.
 */
device: string, 
/**
 * The label.
 */
label: string, } } | { "method": "cert-show" } | { "method": "cert-export-ca", "params": { 
/**
 * In which form.
 */
format: CaFormat, 
/**
 * In which language a profile describes itself (`en`, `zh-Hans`); `None` = English.
 */
language: string | null, } } | { "method": "cert-renew", "params": { 
/**
 * With the key of the one that is served.
 */
reuse_key: boolean, } } | { "method": "cert-fingerprints" } | { "method": "cert-pins" } | { "method": "trust-show" } | { "method": "trust-add", "params": { 
/**
 * Only this place, by its path; `None` = all.
 */
place: string | null, } } | { "method": "trust-remove", "params": { 
/**
 * Only this place, by its path; `None` = all.
 */
place: string | null, 
/**
 * Not the authority in use but those that this Gatehouse used before.
 */
stale: boolean, } } | { "method": "cert-list" } | { "method": "cert-import", "params": { 
/**
 * What to call it; one with the same name is replaced. `None` = by its first name.
 */
slot: string | null, 
/**
 * Where it is taken from.
 */
from: ImportFrom, } } | { "method": "cert-remove", "params": { 
/**
 * What it is called.
 */
slot: string, } } | { "method": "clients-list" } | { "method": "clients-require", "params": { 
/**
 * The name or address.
 */
host: string, 
/**
 * A file with the authorities (PEM), absolute; `None` = Gatehouse's own authority for clients.
 */
ca: string | null, 
/**
 * Files with lists of revoked certificates, absolute.
 */
crls: Array<string>, } } | { "method": "clients-off", "params": { 
/**
 * The name or address.
 */
host: string, } } | { "method": "clients-issue", "params": { 
/**
 * What to call the client.
 */
label: string, 
/**
 * For so many days.
 */
days: number, 
/**
 * In which form.
 */
form: ClientForm, 
/**
 * The password of PKCS#12; `None` = one is made up.
 */
password: SecretText | null, } } | { "method": "clients-revoke", "params": { 
/**
 * Its label, or its serial number or the beginning of that.
 */
client: string, } } | { "method": "acme-show" } | { "method": "acme-setup", "params": AcmeSetup } | { "method": "acme-remove", "params": { 
/**
 * The names of one certificate; none = all, with accounts' settings and secrets. Accounts stay at the authority.
 */
names: Array<string>, } } | { "method": "acme-directory", "params": { 
/**
 * A name that Gatehouse knows, or the address of a directory; `None` = the first that is set up, else the usual one.
 */
authority: string | null, } } | { "method": "acme-preflight", "params": { 
/**
 * For which names; none = for all that are wanted.
 */
names: Array<string>, 
/**
 * Judge as if the names were opened to these; `None` = as things are.
 */
open: Scope | null, } } | { "method": "acme-test", "params": { 
/**
 * For which names; none = for all that are wanted.
 */
names: Array<string>, } } | { "method": "acme-renew", "params": { 
/**
 * Which; none = all.
 */
names: Array<string>, 
/**
 * Also where none is due. The authority's limits are kept in any case.
 */
force: boolean, } } | { "method": "acme-account", "params": { 
/**
 * At which authority; `None` = the first.
 */
authority: string | null, 
/**
 * Where it may write from now on.
 */
email: string | null, 
/**
 * Replace the account's key.
 */
roll_key: boolean, } } | { "method": "acme-log", "params": { 
/**
 * At most so many.
 */
limit: number, } } | { "method": "gateway-status" } | { "method": "gateway-control", "params": { 
/**
 * What to do.
 */
action: GatewayAction, } } | { "method": "gateway-repair", "params": { 
/**
 * Only show it.
 */
dry_run: boolean, } } | { "method": "gateway-log", "params": { 
/**
 * At most so many lines.
 */
lines: number, } } | { "method": "token-status" } | { "method": "token-import", "params": { 
/**
 * Which, where Gatehouse cannot read it; the gateway must take it.
 */
secret: SecretText | null, } } | { "method": "plan-token-change", "params": TokenEdit } | { "method": "token-change", "params": TokenEdit } | { "method": "token-reveal" } | { "method": "install-gateway" } | { "method": "dashboard-link", "params": { 
/**
 * At which of our addresses; `None` = the loopback name, for a browser on this machine.
 */
address: string | null, } } | { "method": "dashboard-link-cancel" } | { "method": "test-address", "params": { 
/**
 * Which of our addresses; `None` = the best one.
 */
address: string | null, } } | { "method": "phone-setup", "params": { 
/**
 * At which of our addresses; `None` = the best one that a phone can reach.
 */
address: string | null, } } | { "method": "phone-setup-status", "params": { 
/**
 * Which.
 */
setup_id: string, } } | { "method": "trust-invite" } | { "method": "trust-invite-status" } | { "method": "trust-invite-end" } | { "method": "traffic", "params": { 
/**
 * At most so many; no more than 500 are kept.
 */
limit: number, } } | { "method": "access" } | { "method": "config-show" } | { "method": "config-set", "params": { 
/**
 * Which, to what.
 */
edits: Array<ConfigEdit>, 
/**
 * Whether everything else goes back to its default.
 */
replace: boolean, } } | { "method": "metrics" } | { "method": "always-on" } | { "method": "network", "params": { 
/**
 * Also ask the router, and the echoes that the user named, for the public address. Otherwise nothing is sent.
 */
ask: boolean, } } | { "method": "renew-mapping" } | { "method": "shutdown" };

/**
 * What a request gets.
 */
export type Reply = { "kind": "status", "data": Snapshot } | { "kind": "plan", "data": Plan } | { "kind": "change", "data": Change } | { "kind": "history", "data": Array<HistoryEntry> } | { "kind": "origins", "data": OriginList } | { "kind": "origins-seen", "data": Array<OriginSeen> } | { "kind": "origin-test", "data": OriginTest } | { "kind": "devices", "data": DeviceList } | { "kind": "device", "data": PairedDevice } | { "kind": "denied", "data": { 
/**
 * Which.
 */
device_id: string, } } | { "kind": "revoked", "data": RevokeReport } | { "kind": "cert", "data": CertSummary | null } | { "kind": "certificates", "data": Array<Certificate> } | { "kind": "clients", "data": ClientCertificates } | { "kind": "client-issued", "data": IssuedClient } | { "kind": "client-revoked", "data": ClientCertificate } | { "kind": "acme", "data": AcmeState } | { "kind": "acme-directory", "data": AcmeDirectory } | { "kind": "preflight", "data": Preflight } | { "kind": "acme-test", "data": AcmeTest } | { "kind": "acme-log", "data": Array<AcmeAttempt> } | { "kind": "ca", "data": CaExport } | { "kind": "fingerprints", "data": Fingerprints } | { "kind": "pins", "data": Pins } | { "kind": "trust-places", "data": TrustPlaces } | { "kind": "gateway", "data": GatewaySummary } | { "kind": "token", "data": GatewayToken } | { "kind": "secret", "data": SecretText } | { "kind": "gateway-repair", "data": GatewayRepair } | { "kind": "gateway-log", "data": GatewayLog } | { "kind": "link", "data": SecretLink } | { "kind": "address-test", "data": AddressTest } | { "kind": "phone-setup", "data": PhoneSetup } | { "kind": "phone-setup-status", "data": PhoneSetupProgress } | { "kind": "invite", "data": TrustInvite } | { "kind": "invite-status", "data": TrustInviteProgress } | { "kind": "traffic", "data": Array<TrafficRecord> } | { "kind": "access", "data": AccessFacts } | { "kind": "configuration", "data": Configuration } | { "kind": "metrics", "data": { 
/**
 * In the Prometheus text format, version 0.0.4.
 */
text: string, } } | { "kind": "always-on", "data": AlwaysOn } | { "kind": "network", "data": Network } | { "kind": "done" };
