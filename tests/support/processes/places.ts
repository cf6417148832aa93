/**
 * Where the processes of a test keep their entries: in a file, in a schema of a
 * PostgreSQL server, or in an etcd cluster.
 *
 * @module
 */
import {
  type AnyKinds,
  type Durability,
  openStore,
  type Store,
  StoreOpenError,
} from "../../../mod.ts";
import type { TestDriver } from "../drivers.ts";
import { readRawSchema, untilAlone } from "../postgres/raw_schema.ts";
import { until } from "../postgres/until.ts";
import { type RawFile, readRawFile } from "../raw_file.ts";
import { readWholeStore } from "../whole_store.ts";

/** A store in a file. */
export interface StoreFile {
  path: string;
  driver: TestDriver["name"];
  wal?: boolean;
  history?: number;
}

/** A store in a schema of a server. */
export interface StoreSchema {
  url: string;
  listenUrl?: string;
  schema: string;
  history?: number;
}

/** A store in an etcd cluster. */
export interface StorePrefix {
  endpoints: readonly string[];
  prefix: string;
}

/** What a process opens. It can be told to another process as JSON. */
export type StorePlace = StoreFile | StoreSchema | StorePrefix;

/** How it is opened. */
export interface Opening {
  durability?: Durability;
  busyTimeout?: number;
  history?: number;
}

/** Opens what is in a place. */
export async function openPlace<Kinds extends object = AnyKinds>(
  place: StorePlace & Opening,
): Promise<Store<Kinds>> {
  if ("path" in place) return await openStore<Kinds>(place);
  // A server that was killed may not be there yet.
  return await until(
    "the store opens",
    () =>
      openOnServer<Kinds>(place).catch((error) => {
        if (error instanceof StoreOpenError) return undefined;
        throw error;
      }),
  );
}

/** The peers of a file do not load the client of a server. */
async function openOnServer<Kinds extends object>(
  place: (StoreSchema | StorePrefix) & Opening,
): Promise<Store<Kinds>> {
  if ("endpoints" in place) {
    const { openEtcdStore } = await import(
      "../../../src/etcd/open_etcd_store.ts"
    );
    const { endpoints, prefix, busyTimeout } = place;
    return await openEtcdStore<Kinds>({ endpoints, prefix, busyTimeout });
  }
  const { openPostgresStore } = await import(
    "../../../src/postgres/open_postgres_store.ts"
  );
  return await openPostgresStore<Kinds>(place);
}

/** The place of a test. */
export interface TestPlace {
  /** What the n-th process opens. */
  of(process: number): StorePlace;
  /** What is there, once nobody else has it open. */
  read(): Promise<RawFile>;
}

/** A file. The processes take the drivers by turns. */
export function filePlace(
  path: string,
  { drivers, wal }: {
    drivers: readonly TestDriver["name"][];
    wal: boolean;
  },
): TestPlace {
  return {
    of: (process) => ({ path, driver: drivers[process % drivers.length], wal }),
    read: () => Promise.resolve(readRawFile(path)),
  };
}

/** A schema, which is alone in its database. */
export function schemaPlace({ url, schema }: StoreSchema): TestPlace {
  return {
    of: () => ({ url, schema }),
    async read() {
      // A killed client's last statement may still be under way.
      await untilAlone(url);
      return await readRawSchema(url, schema);
    },
  };
}

/** A prefix of a cluster. Each process prefers another member. */
export function prefixPlace({ endpoints, prefix }: StorePrefix): TestPlace {
  const from = (first: number) => [
    ...endpoints.slice(first % endpoints.length),
    ...endpoints.slice(0, first % endpoints.length),
  ];
  return {
    of: (process) => ({ endpoints: from(process), prefix }),
    async read() {
      await using store = await openPlace({ endpoints, prefix });
      return await readWholeStore(store);
    },
  };
}
