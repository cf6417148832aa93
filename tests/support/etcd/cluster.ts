/**
 * Starts clusters of etcd on free ports of the loopback interface: one node, or
 * several, which a test can kill, pause and isolate.
 *
 * @module
 */
import { join } from "node:path";
import { certify } from "../postgres/certificate.ts";
import { makeServerDir } from "../postgres/home.ts";
import { linkToMemory } from "../postgres/memory_dir.ts";
import { onFreePort } from "../postgres/ports.ts";
import { until } from "../postgres/until.ts";
import { type EtcdProgram, findEtcd, flagOf, hasFlag } from "./find_etcd.ts";
import { makeMember, type Member } from "./member.ts";
import { PeerNetwork } from "./peer_network.ts";

/** Options of servers. */
export interface ServerOptions {
  /** The etcd to run. @default {the one that `findEtcd` finds} */
  readonly binary?: EtcdProgram;
  /**
   * Whether commits are synced to the disk. Old versions always sync, unless
   * the data fits in memory.
   * @default {false}
   */
  readonly fsync?: boolean;
  /** Whether clients must use TLS. The certificate is for 127.0.0.1. @default {false} */
  readonly tls?: boolean;
  /** The most bytes that the database may have. @default {etcd's default} */
  readonly quota?: number;
  /** How long an unused token of a user is valid, in seconds. @default {300} */
  readonly tokenTtl?: number;
  /** How often etcd sends its revision to an idle watch that asked for it, in ms. @default {600000} */
  readonly progressInterval?: number;
  /** More flags. */
  readonly flags?: readonly string[];
}

/** Options of a cluster. */
export interface ClusterOptions extends ServerOptions {
  /** How many members it has. @default {3} */
  readonly size?: number;
  /** Whether the members are connected by lines that `isolate` can cut. @default {false} */
  readonly isolable?: boolean;
}

/** A cluster that this process started. Disposing of it ends all members. */
export interface Cluster extends AsyncDisposable {
  readonly members: readonly Member[];
  /** The addresses for clients, in the order of the members. */
  readonly endpoints: string[];
  /** The file of the authority; absent without TLS. */
  readonly authority: string | undefined;
  /** Waits for an election, and returns the leader. The others may not know it yet. */
  leader(): Promise<Member>;
  /** The members that do not lead. */
  followers(): Promise<Member[]>;
  /** Cuts a member off from the others. Clients still reach it. Needs `isolable`. */
  isolate(member: Member): void;
  /** Ends the isolation. */
  heal(): void;
}

/** A short time makes elections quick. It is long enough for a busy machine. */
const HEARTBEAT_MS = 100;
const ELECTION_MS = 1_000;

/** The flag of newer versions. */
const NO_FSYNC = "unsafe-no-fsync";

/** Starts one server. Rejects with the reason if no etcd is available. */
export async function startNode(options: ServerOptions = {}): Promise<Member> {
  const { members: [node] } = await startCluster({ ...options, size: 1 });
  return node;
}

/** Starts a cluster. Rejects with the reason if no etcd is available. */
export async function startCluster(
  options: ClusterOptions = {},
): Promise<Cluster> {
  const binary = options.binary ?? await findEtcd();
  if ("reason" in binary) {
    throw new Error(`Cannot start etcd: ${binary.reason}`);
  }
  return await onFreePort(() => startOn(freePorts, { ...options, binary }));
}

/** Finds free ports. */
function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  for (const listener of listeners) listener.close();
  return listeners.map(({ addr }) => addr.port);
}

async function startOn(
  choose: typeof freePorts,
  options: ClusterOptions & { readonly binary: EtcdProgram },
): Promise<Cluster> {
  const { size = 3, isolable = false, tls = false, fsync = false, binary } =
    options;
  const ports = choose(2 * size);
  const peerPorts = ports.slice(size);
  await using stack = new AsyncDisposableStack();
  const network = isolable ? stack.use(new PeerNetwork(peerPorts)) : undefined;
  const advertised = network?.ports ?? peerPorts;
  const scheme = tls ? "https" : "http";
  const common = flagsOf(binary, options);
  const peers = advertised.map((port, i) => `m${i}=http://127.0.0.1:${port}`);
  const members: Member[] = [];
  let authority: string | undefined;
  for (let i = 0; i < size; i++) {
    const dir = await makeServerDir();
    const certificate = tls ? await certify(dir) : undefined;
    if (!fsync && !hasFlag(binary, NO_FSYNC)) await linkToMemory(dir, "data");
    authority ??= certificate?.authority;
    const url = `${scheme}://127.0.0.1:${ports[i]}`;
    const flags = [
      ...common,
      `--name=m${i}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPorts[i]}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${advertised[i]}`,
      `--initial-cluster=${peers}`,
      ...certificate
        ? [
          `--cert-file=${join(dir, "server.crt")}`,
          `--key-file=${join(dir, "server.key")}`,
        ]
        : [],
    ];
    const member = await makeMember({
      binary,
      dir,
      name: `m${i}`,
      port: ports[i],
      flags,
      url,
      authority: certificate?.authority,
    });
    members.push(stack.use(member));
    await member.launch();
  }
  await Promise.all(members.map((member) => member.ready()));
  await network?.learn(members);
  return new RunningCluster(members, authority, network, stack.move());
}

function flagsOf(
  binary: EtcdProgram,
  { fsync = false, quota, tokenTtl, progressInterval, flags = [] }:
    ServerOptions,
): string[] {
  return [
    `--heartbeat-interval=${HEARTBEAT_MS}`,
    `--election-timeout=${ELECTION_MS}`,
    "--logger=zap",
    "--log-level=warn",
    // The lowest cost, because a test asks for many tokens.
    "--bcrypt-cost=4",
    ...!fsync && hasFlag(binary, NO_FSYNC) ? [`--${NO_FSYNC}`] : [],
    ...quota === undefined ? [] : [`--quota-backend-bytes=${quota}`],
    ...tokenTtl === undefined ? [] : [`--auth-token-ttl=${tokenTtl}`],
    ...progressInterval === undefined ? [] : [
      `${
        flagOf(binary, "watch-progress-notify-interval")
      }=${progressInterval}ms`,
    ],
    ...flags,
  ];
}

class RunningCluster implements Cluster {
  readonly members: readonly Member[];
  readonly endpoints: string[];
  readonly authority: string | undefined;
  readonly #network: PeerNetwork | undefined;
  readonly #stack: AsyncDisposableStack;

  constructor(
    members: readonly Member[],
    authority: string | undefined,
    network: PeerNetwork | undefined,
    stack: AsyncDisposableStack,
  ) {
    this.members = members;
    this.endpoints = members.map(({ url }) => url);
    this.authority = authority;
    this.#network = network;
    this.#stack = stack;
  }

  async leader(): Promise<Member> {
    return await until("the cluster has a leader", async () => {
      const up = this.members.filter(({ isUp }) => isUp);
      const states = await Promise.all(
        up.map((member) => member.status().catch(() => undefined)),
      );
      // A member that was cut off may still believe that it leads an old term.
      const term = Math.max(...states.map((state) => state?.term ?? 0));
      const index = states.findIndex((state) =>
        state?.term === term && state.leader === state.memberId
      );
      return index >= 0 && up[index];
    });
  }

  async followers(): Promise<Member[]> {
    const leader = await this.leader();
    return this.members.filter((member) => member !== leader);
  }

  isolate(member: Member): void {
    if (!this.#network) {
      throw new TypeError("Cannot isolate: the cluster is not isolable");
    }
    this.#network.isolate(this.members.indexOf(member));
  }

  heal(): void {
    this.#network?.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
