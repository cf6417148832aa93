/**
 * The messages of etcd's JSON gateway that a store uses. Bytes are base64, 64-bit
 * numbers are text, and fields with their default value are absent.
 *
 * https://etcd.io/docs/latest/dev-guide/api_grpc_gateway/
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A key with its value in etcd. */
export interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
}

/** The part of every answer that describes the cluster. */
export interface Header {
  readonly cluster_id?: string;
  readonly member_id?: string;
  /** The revision of the cluster when it answered. */
  readonly revision?: string;
}

/** A read of one key, or of the keys from `key` up to `range_end`, which is excluded. */
export interface RangeRequest {
  readonly key: string;
  readonly range_end?: string;
  readonly limit?: number;
  /** The revision to read at; by default the current one. */
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
  /** Whether the range has more keys past the limit. */
  readonly more?: boolean;
  readonly count?: string;
}

/** An operation of a transaction. */
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

/** A condition of a transaction: nobody has written the key since this revision. */
export interface Compare {
  readonly key: string;
  readonly target: "MOD" | "CREATE";
  readonly result: "EQUAL";
  readonly mod_revision?: string;
  readonly create_revision?: string;
}

/** The answer to a transaction. */
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

/** An answer of a watch. */
export interface WatchAnswer {
  readonly header?: Header;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly cancel_reason?: string;
  /** If the watch asked for a compacted revision: the revision up to which etcd has compacted. */
  readonly compact_revision?: string;
  /** Whether the next answer continues this one. */
  readonly fragment?: boolean;
  readonly events?: readonly KeyEvent[];
}

/** Encodes bytes as base64. */
export function base64Of(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

/** Decodes base64 to bytes. */
export function bytesOf(text: string = ""): Uint8Array {
  return Buffer.from(text, "base64");
}

/** Decodes base64 to text. */
export function textOf(text: string = ""): string {
  return Buffer.from(text, "base64").toString("utf8");
}

/** Encodes text as base64. */
export function base64OfText(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** Reads a 64-bit number; 0 if the field is absent. */
export function numberOf(text: string | undefined): number {
  return Number(text ?? 0);
}

/** The first key of an answer; `undefined` if the answer has no keys. */
export function firstOf(
  answer: RangeAnswer | undefined,
): KeyValue | undefined {
  return answer?.kvs?.[0];
}
