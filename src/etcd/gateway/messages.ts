/**
 * What etcd's JSON gateway takes and gives, as far as a store uses it. Bytes are
 * base64, 64-bit numbers are text, and fields of their default value are absent.
 *
 * https://etcd.io/docs/latest/dev-guide/api_grpc_gateway/
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A key as etcd has it. */
export interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
}

/** What every answer tells of the cluster. */
export interface Header {
  readonly cluster_id?: string;
  readonly member_id?: string;
  /** The revision of the cluster when it answered. */
  readonly revision?: string;
}

/** Asks for keys: one, or those from `key` up to `range_end`. */
export interface RangeRequest {
  readonly key: string;
  readonly range_end?: string;
  readonly limit?: number;
  /** As of when; now without it. */
  readonly revision?: string;
  readonly sort_order?: "DESCEND";
  readonly sort_target?: "KEY";
  readonly keys_only?: boolean;
  readonly count_only?: boolean;
}

/** The keys that were found. */
export interface RangeAnswer {
  readonly header?: Header;
  readonly kvs?: readonly KeyValue[];
  /** Whether there are others past the limit. */
  readonly more?: boolean;
  readonly count?: string;
}

/** Part of a transaction. */
export type Op =
  | { readonly request_range: RangeRequest }
  | { readonly request_put: { readonly key: string; readonly value: string } }
  | {
    readonly request_delete_range: {
      readonly key: string;
      readonly range_end?: string;
    };
  }
  | { readonly request_txn: Txn };

/** A transaction. */
export interface Txn {
  readonly compare?: readonly Compare[];
  readonly success?: readonly Op[];
  readonly failure?: readonly Op[];
}

/** A condition of a transaction: a key has not been written since. */
export interface Compare {
  readonly key: string;
  readonly target: "MOD" | "CREATE";
  readonly result: "EQUAL";
  readonly mod_revision?: string;
  readonly create_revision?: string;
}

/** What became of a transaction. */
export interface TxnAnswer {
  readonly header: Header;
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: RangeAnswer }[];
}

/** A change of a key. */
export interface KeyEvent {
  /** Absent for a put. */
  readonly type?: "DELETE";
  readonly kv: KeyValue;
  readonly prev_kv?: KeyValue;
}

/** What a watch tells. */
export interface WatchAnswer {
  readonly header?: Header;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly cancel_reason?: string;
  /** If the watch asked for what is compacted: up to where etcd has compacted. */
  readonly compact_revision?: string;
  /** Whether the answer goes on in the next one. */
  readonly fragment?: boolean;
  readonly events?: readonly KeyEvent[];
}

/** Bytes as the gateway takes them. */
export function base64Of(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

/** Bytes as the gateway gives them. */
export function bytesOf(text: string = ""): Uint8Array {
  return Buffer.from(text, "base64");
}

/** The text of a key or a value. */
export function textOf(text: string = ""): string {
  return Buffer.from(text, "base64").toString("utf8");
}

/** A text as the gateway takes it. */
export function base64OfText(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** A number as the gateway gives it. */
export function numberOf(text: string | undefined): number {
  return Number(text ?? 0);
}

/** What was found for the first key of a range. */
export function firstOf(
  answer: RangeAnswer | undefined,
): KeyValue | undefined {
  return answer?.kvs?.[0];
}
