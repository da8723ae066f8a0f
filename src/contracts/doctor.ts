import type { PeerId } from '../lib/ids.ts';
import type { IceGathering } from './bootstrap.ts';
import type { Connection, MeshPeer } from './mesh.ts';
import type { IceServer } from './relay.ts';
import type { Json } from './workflow.ts';

/** What the connectivity doctor looks at, in the order in which a connection depends on it. */
export const DOCTOR_CHECKS = [
  { id: 'network', title: 'Network' },
  { id: 'secure_context', title: 'Secure page' },
  { id: 'service_worker', title: 'Works offline' },
  { id: 'page', title: 'Page in view, power' },
  { id: 'local_network', title: 'Permission for the local network' },
  { id: 'relay_http', title: 'Relay over HTTP' },
  { id: 'relay_socket', title: 'Connection to the relay' },
  { id: 'relay_reservation', title: 'Reservation at the relay' },
  { id: 'members', title: 'Members seen' },
  { id: 'ice_candidates', title: 'Addresses for direct links' },
  { id: 'peer_links', title: 'Direct or relayed' },
  { id: 'relayed_limits', title: 'Left on relayed links' },
  { id: 'clock', title: 'Clock' },
  { id: 'storage', title: 'Storage' },
] as const;

export type DoctorCheckId = (typeof DOCTOR_CHECKS)[number]['id'];

/** `warning`: it works, but worse than it could. `skipped`: it does not apply here. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** What came of one check. */
export interface DoctorCheck {
  readonly id: DoctorCheckId;
  readonly title: string;
  readonly status: CheckStatus;
  /** what was found, in plain words */
  readonly reason: string;
  /** what the person can do about it */
  readonly advice: string | null;
  /** the same for programs: keys in snake_case, no secrets, public IP addresses without their last part */
  readonly details: Readonly<Record<string, Json>>;
  /** ms */
  readonly tookMs: number;
}

/** All checks of one examination, in the order of {@link DOCTOR_CHECKS}. */
export interface DoctorReport {
  /** ms since the epoch */
  readonly startedAt: number;
  /** ms */
  readonly tookMs: number;
  readonly kind: 'tab' | 'relay';
  /** the worst of the checks; `ok` when nothing is wrong */
  readonly status: Exclude<CheckStatus, 'skipped'>;
  readonly checks: readonly DoctorCheck[];
}

export interface ExamineOptions {
  readonly signal: AbortSignal;
  /** told of each check as it ends; they end in any order */
  readonly onCheck?: (check: DoctorCheck) => void;
}

/** Examines how this peer is connected. */
export interface DoctorPort {
  /** Ends within 20 s. A check that cannot be made is in the report as failed. @throws only when `signal` fires */
  examine(options: ExamineOptions): Promise<DoctorReport>;
}

/** A probe's answer where what it looks at does not exist; `skip` says why, as the report shows it. */
export interface NotApplicable {
  readonly skip: string;
}

type Answer<T> = Promise<T | NotApplicable>;

/** A relay as this peer is to reach it. */
export interface RelayUnderTest {
  readonly peer: PeerId;
  /** best first, never empty */
  readonly ways: readonly {
    /** `host:port`, with `/udp` behind it for WebRTC-Direct */
    readonly host: string;
    /** origin of its pages; null where there are none (WebRTC-Direct) */
    readonly origin: string | null;
  }[];
  /** how this peer stands to it: `joined` is listed in the room's topic there */
  readonly state: 'connecting' | 'joined' | 'offline';
}

export interface RelayHealth {
  /** that answered */
  readonly host: string;
  /** ms */
  readonly tookMs: number;
  /** the relay's clock less ours, ms, to the second; null when it did not tell the time */
  readonly clockOffsetMs: number | null;
}

/** A member, or somebody who says to be one, with what keeps its link from being better. */
export interface LinkUnderTest {
  readonly peer: MeshPeer;
  /** of the last try to reach it, or to reach it directly; null when none failed */
  readonly failure: string | null;
  /** whether this side made the link; null without one */
  readonly outbound: boolean | null;
  /** what the relay allows the link, still; null where it sets no limit */
  readonly limits: { readonly bytes: number | null; readonly seconds: number | null } | null;
}

/** What the platform (a tab, a Node process) tells the doctor. Probes may throw; whoever asks bounds their time. */
export interface PlatformProbes {
  network(signal: AbortSignal): Answer<{ readonly online: boolean }>;
  secureContext(signal: AbortSignal): Answer<{ readonly secure: boolean; readonly origin: string }>;
  serviceWorker(signal: AbortSignal): Answer<{
    readonly state: 'unsupported' | 'none' | 'installing' | 'active';
    /** it serves this page */
    readonly controls: boolean;
    /** a newer version waits for a reload */
    readonly waiting: boolean;
  }>;
  page(signal: AbortSignal): Answer<Pick<MeshPeer, 'visible' | 'load' | 'battery'>>;
  /** the permission that a page of the internet needs to reach a relay on the local network */
  localNetwork(signal: AbortSignal): Answer<{
    readonly permission: 'granted' | 'denied' | 'prompt';
    /** that the page came from */
    readonly pageHost: string;
  }>;
  /** @throws when none of its addresses answers `GET /health` */
  relayHealth(relay: RelayUnderTest, signal: AbortSignal): Answer<RelayHealth>;
  /** the STUN and TURN servers in use */
  iceServers(): readonly IceServer[];
  ice(servers: readonly IceServer[], signal: AbortSignal): Answer<IceGathering>;
  storage(signal: AbortSignal): Answer<{
    readonly usedBytes: number | null;
    readonly quotaBytes: number | null;
    readonly persisted: boolean;
  }>;
  /** texts that only this device may know; no report holds them */
  secrets(): readonly string[];
}

/** What the mesh tells the doctor. */
export interface MeshProbes {
  connection(): Connection;
  relays(): readonly RelayUnderTest[];
  /** Connects to the relay if need be, and pings it. @throws when it cannot be reached */
  reachRelay(
    relay: RelayUnderTest,
    signal: AbortSignal,
  ): Promise<{ readonly host: string | null; readonly pingMs: number }>;
  /** the place that the relay keeps for this peer; null: none. `expiresAt` in ms since the epoch, by the relay's clock */
  reservation(relay: RelayUnderTest): { readonly expiresAt: number } | null | NotApplicable;
  /** never this peer itself */
  peers(): readonly LinkUnderTest[];
  /** a member's clock, ms since the epoch. @throws when it does not tell */
  timeOf(peer: PeerId, signal: AbortSignal): Promise<number>;
}

export interface DoctorProbes extends PlatformProbes, MeshProbes {}
