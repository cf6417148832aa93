/**
 * A store on a server: the same store as on a file, on the remote engine.
 *
 * @module
 */
import type { AnyKinds } from "../../../src/contract/mod.ts";
import type { Limits } from "../../../src/engine/limits.ts";
import { KvStore } from "../../../src/store/kv_store.ts";
import {
  type OptionsSpec,
  readOptions,
  unchecked,
} from "../../../src/base/options.ts";
import {
  COMMON,
  type CommonOptions,
  commonSettingsOf,
} from "../../../src/store/store_options.ts";
import type { Random } from "../random.ts";
import { Line, type LineOptions } from "./line.ts";
import { RemoteEngine, type RemoteEngineOptions } from "./remote_engine.ts";
import { Server } from "./server.ts";

/** Options of `openRemoteStore`. */
export interface RemoteStoreOptions<Kinds extends object = AnyKinds>
  extends CommonOptions<Kinds>, RemoteEngineOptions, LineOptions {
  /** @default {a server of its own, which keeps `history` changes} */
  readonly server?: Server;
  /** What a server of its own has room for. @default {LIMITS} */
  readonly limits?: Limits;
}

const REMOTE_STORE = {
  ...COMMON,
  server: unchecked<Server>(),
  limits: unchecked<Limits>(),
  busyTimeout: unchecked<number>(),
  sweepInterval: unchecked<number>(),
  random: unchecked<Random>(),
  longest: unchecked<number>(),
  cuts: unchecked<number>(),
} satisfies OptionsSpec<RemoteStoreOptions>;

/** A store, with the line that it is on. */
export class RemoteStore<Kinds extends object = AnyKinds>
  extends KvStore<Kinds> {
  /** The store closes it. */
  readonly line: Line;
  /** The server at its end. */
  readonly server: Server;

  private constructor(
    config: ConstructorParameters<typeof KvStore>[0],
    server: Server,
    line: Line,
  ) {
    super(config);
    this.server = server;
    this.line = line;
  }

  /** Opens a store. */
  static async open<Kinds extends object = AnyKinds>(
    options?: RemoteStoreOptions<Kinds>,
  ): Promise<RemoteStore<Kinds>> {
    const given = readOptions("open the store", options, REMOTE_STORE);
    const { values, history } = commonSettingsOf(given);
    const { limits, busyTimeout = 5_000 } = given;
    const { server = new Server({ history, limits }) } = given;
    const line = new Line(server, given);
    const engine = await RemoteEngine.open(line, given, given.signal);
    const place = { engine: "remote" };
    const config = { engine, values, place, busyTimeout };
    return new RemoteStore<Kinds>(config, server, line);
  }
}

/** Opens a store on a server. */
export function openRemoteStore<Kinds extends object = AnyKinds>(
  options?: RemoteStoreOptions<Kinds>,
): Promise<RemoteStore<Kinds>> {
  return RemoteStore.open(options);
}
