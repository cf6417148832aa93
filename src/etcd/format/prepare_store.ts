/**
 * Looks at a store's keys in etcd, and makes the store if there is none.
 *
 * @module
 */
import { quoteText } from "../../base/messages.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import { drawMark } from "../../engine/cursor.ts";
import {
  codecConflict,
  codecNames,
  type Meta,
  remembersCodecs,
} from "../../values/codecs/remembered_codecs.ts";
import type { KindCodecs } from "../../values/codecs/kind_codecs.ts";
import { EtcdError } from "../gateway/failure.ts";
import type { Gateway } from "../gateway/gateway.ts";
import {
  base64OfText,
  firstOf,
  type KeyValue,
  numberOf,
  textOf,
  type Txn,
  type TxnAnswer,
} from "../gateway/messages.ts";
import type { Keys } from "./keys.ts";
import { encodeRecord, recordOf } from "./record.ts";

/** The format that this code writes. */
export const FORMAT = 1;

/** How many times the codecs are noted if others do so at the same time. */
const FEW_TRIES = 10;

/** What a store is to be. */
export interface StoreSettings {
  readonly prefix: string;
  readonly codecs: KindCodecs;
  /** Whether nothing may be made or changed. */
  readonly readOnly: boolean;
}

/** What a store is. */
export interface StoreState {
  /** The revision of etcd at which it was made. */
  readonly born: number;
  /** Why nothing can be written, if so. */
  readonly readOnly?: string;
}

/** Looks at the store; makes it if it has to and may. */
export async function prepareStore(
  gateway: Gateway,
  keys: Keys,
  settings: StoreSettings,
): Promise<StoreState> {
  let found = await lookAt(gateway, keys, settings);
  if (!found) {
    if (settings.readOnly) throw missing(settings.prefix);
    await make(gateway, keys, settings);
    found = await lookAt(gateway, keys, settings);
  }
  if (!found) throw missing(settings.prefix);
  await assertCodecs(gateway, keys, found.meta, settings.codecs);
  const { born } = found;
  if (settings.readOnly) {
    return { born, readOnly: "it was opened to be read only" };
  }
  const readOnly = await rememberCodecs(gateway, keys, found, settings);
  return readOnly === undefined ? { born } : { born, readOnly };
}

interface FoundStore {
  readonly born: number;
  readonly meta: Meta;
  /** The revision of etcd at which what the store is was written. */
  readonly metaAt: string;
}

async function lookAt(
  gateway: Gateway,
  keys: Keys,
  { prefix }: StoreSettings,
): Promise<FoundStore | undefined> {
  const { found } = await gateway.ranges([
    { key: keys.meta },
    { key: keys.record },
  ]);
  const [meta, record] = found.map(firstOf);
  if (!meta && !record) return undefined;
  const read = meta && record && contentsOf(meta, record);
  if (!read) {
    throw new StoreOpenError(
      `Cannot open store: the keys of the prefix ${
        quoteText(prefix)
      } hold something else under the names of a store; use another prefix, or delete them`,
    );
  }
  const { format } = read;
  if (format > FORMAT) {
    throw new StoreOpenError(
      `Cannot open store: its format is ${format}, this version knows up to ${FORMAT}; use a newer version of @zestor/store`,
    );
  }
  return {
    born: numberOf(record.create_revision),
    meta: read.names,
    metaAt: meta.mod_revision!,
  };
}

function contentsOf(
  meta: KeyValue,
  record: KeyValue,
): { format: number; names: Meta } | undefined {
  try {
    const { format, names } = JSON.parse(textOf(meta.value));
    const isStore = Number.isInteger(format) && format >= 1 &&
      Number.isInteger(recordOf(record).head);
    return isStore ? { format, names: new Map(names) } : undefined;
  } catch {
    return undefined;
  }
}

function metaOf(names: Meta): string {
  return base64OfText(JSON.stringify({ format: FORMAT, names: [...names] }));
}

async function make(
  gateway: Gateway,
  keys: Keys,
  { codecs }: StoreSettings,
): Promise<void> {
  const record = {
    first: 0,
    head: 0,
    mark: drawMark(),
    time: Date.now(),
    before: 0,
    by: "",
    batch: 0,
  };
  const txn: Txn = {
    compare: [keys.meta, keys.record].map((key) => ({
      key,
      target: "CREATE",
      result: "EQUAL",
      create_revision: "0",
    })),
    success: [
      { request_put: { key: keys.meta, value: metaOf(codecNames(codecs)) } },
      { request_put: { key: keys.record, value: encodeRecord(record) } },
    ],
  };
  // Sent twice, it makes one store: the second one finds the keys.
  await gateway.read("kv/txn", txn);
}

async function assertCodecs(
  gateway: Gateway,
  keys: Keys,
  meta: Meta,
  codecs: KindCodecs,
): Promise<void> {
  if (!remembersCodecs(meta)) return;
  const kinds: string[] = [];
  for (const kind of codecs.namedKinds) {
    const { kvs = [] } = await gateway.range({
      ...keys.range(kind, { lower: { key: "", inclusive: true } }),
      limit: 1,
      keys_only: true,
    });
    if (kvs.length > 0) kinds.push(kind);
  }
  const conflict = codecConflict(meta, codecs, kinds);
  if (conflict) throw new StoreOpenError(`Cannot open store: ${conflict}`);
}

/** Notes the codecs of kinds that are new. Tells why nothing can be written, if so. */
async function rememberCodecs(
  gateway: Gateway,
  keys: Keys,
  found: FoundStore,
  settings: StoreSettings,
): Promise<string | undefined> {
  for (let tries = 0; tries < FEW_TRIES; tries++) {
    const { meta, metaAt } = tries === 0
      ? found
      : await lookAt(gateway, keys, settings) ?? found;
    const fresh = [...codecNames(settings.codecs)].filter(([name]) =>
      !meta.has(name)
    );
    if (fresh.length === 0) return undefined;
    const value = metaOf(new Map([...meta, ...fresh]));
    const txn: Txn = {
      compare: [{
        key: keys.meta,
        target: "MOD",
        result: "EQUAL",
        mod_revision: metaAt,
      }],
      success: [{ request_put: { key: keys.meta, value } }],
    };
    try {
      const { succeeded } = await gateway.read<TxnAnswer>("kv/txn", txn);
      if (succeeded) return undefined;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      return `the codecs of its kinds cannot be noted (${error.message})`;
    }
  }
  return undefined;
}

function missing(prefix: string): StoreOpenError {
  return new StoreOpenError(
    `Cannot open store: the prefix ${
      quoteText(prefix)
    } holds no store, and it was opened to be read only; open it once to write`,
  );
}
