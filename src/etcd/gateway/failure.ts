/**
 * Classifies failures of a cluster and of the network.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import {
  StoreBusyError,
  StoreError,
  StoreFullError,
  StoreReadOnlyError,
  StoreTooLargeError,
  StoreUnavailableError,
} from "../../contract/errors.ts";

/** A member could not be reached, or its answer was cut or unusable. */
export class Cut extends Error {
  /** Whether the request may have arrived, and may still take effect. */
  readonly mayHaveArrived: boolean;

  /** Takes the error that was thrown. */
  constructor(mayHaveArrived: boolean, cause: unknown) {
    super(reasonOf(cause) || "the cluster cannot be reached", { cause });
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** etcd refused a request. Nothing was written. */
export class EtcdError extends Error {
  /** A status code of gRPC: https://grpc.io/docs/guides/status-codes/. */
  readonly code: number;

  /** Takes the code and etcd's message. */
  constructor(code: number, message: string) {
    super(message.replace(/^etcdserver: /, ""));
    this.code = code;
  }
}

/** etcd has compacted requested changes. */
export class Compacted extends Error {}

const CANCELLED = 1;
const UNKNOWN = 2;
const TIMED_OUT = 4;
const DENIED = 7;
const EXHAUSTED = 8;
const ABORTED = 10;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;
/** Not a code of gRPC: TLS failed before an answer came. */
const UNTRUSTED = -1;

/** With these codes, a write may have arrived, and another member may answer. */
const CUT_CODES = new Set([
  ...[CANCELLED, TIMED_OUT, ABORTED, INTERNAL, UNAVAILABLE],
]);

/** The error for an error answer of the gateway, or of etcd behind it. */
export function failureOf(code: number, message: string): Error {
  const isCut = CUT_CODES.has(code) ||
    (code === UNKNOWN && /context|transport|connection|EOF/i.test(message));
  const error = new EtcdError(code, message);
  return isCut ? new Cut(true, error) : error;
}

/** The error for a request that got no answer. */
export function cutOf(error: unknown): Error {
  if (error instanceof Cut || error instanceof EtcdError) return error;
  if (error instanceof Error && error.name === "NotCapable") return error;
  const reason = networkReasonOf(error);
  if (/certificate/i.test(reason)) return new EtcdError(UNTRUSTED, reason);
  const isRefused =
    /refused|dns error|resolve|tcp connect|no route|unreachable/i.test(reason);
  return new Cut(!isRefused, new Error(reason, { cause: error }));
}

/** Whether TLS refused the certificate of the member or of the client. A retry does not help. */
export function isUntrusted(error: unknown): boolean {
  return error instanceof EtcdError && error.code === UNTRUSTED;
}

/** The network's message. The runtime hides it in the error's cause. */
function networkReasonOf(error: unknown): string {
  const { cause } = (error ?? {}) as { cause?: unknown };
  const reason = reasonOf(error);
  return cause instanceof Error && reason === "fetch failed"
    ? networkReasonOf(cause)
    : reason;
}

/** Whether etcd refused the token, because it has expired or the rights have changed. */
export function isTokenRefused(error: unknown): boolean {
  return error instanceof EtcdError &&
    (error.code === UNAUTHENTICATED ||
      /invalid auth token|auth: revision|revision of auth store is old/i
        .test(error.message));
}

/** Whether the cluster has used up its space quota. */
export function isOutOfSpace(error: unknown): boolean {
  return error instanceof EtcdError && /space exceeded/.test(error.message);
}

/** Whether etcd has compacted the requested revision. */
export function isCompacted(error: unknown): boolean {
  return error instanceof EtcdError &&
    /revision has been compacted/.test(error.message);
}

/** Whether the cluster has not reached the requested revision yet. */
export function isFuture(error: unknown): boolean {
  return error instanceof EtcdError && /future revision/.test(error.message);
}

/** Whether nothing was written, and a retry may succeed. */
export function isBusy(error: unknown): boolean {
  return error instanceof Conflict || isOverloaded(error);
}

function isOverloaded(error: unknown): boolean {
  return error instanceof EtcdError && error.code === EXHAUSTED &&
    /too many requests/.test(error.message);
}

/** Other writers were faster on each try. Nothing was written. */
export class Conflict extends Error {
  constructor() {
    super("other writers changed the store again and again");
  }
}

/** The caller's error for a failure. Returns errors that are not etcd's unchanged. */
export function storeErrorOf(action: string, error: unknown): unknown {
  if (error instanceof Cut) return unavailable(action, error);
  const options = { cause: error };
  const say = (reason: string) => `Cannot ${action}: ${reason}`;
  if (error instanceof Conflict || isOverloaded(error)) {
    const { message } = error as Error;
    return new StoreBusyError(say(`${message}; call it again`), options);
  }
  if (!(error instanceof EtcdError)) return error;
  const { code, message } = error;
  if (code === DENIED) {
    return new StoreReadOnlyError(
      say(`the role lacks a right (${message}); grant it`),
      options,
    );
  }
  if (/space exceeded/.test(message)) {
    return new StoreFullError(
      say(
        `the cluster's space quota is used up (${message}); compact and defragment it, then disarm its alarm`,
      ),
      options,
    );
  }
  if (/too large|too many operations|larger than max/.test(message)) {
    return new StoreTooLargeError(
      say(
        `${message}; make it smaller, or raise the server's --max-request-bytes and --max-txn-ops`,
      ),
      options,
    );
  }
  if (isCompacted(error)) {
    return new StoreError(
      "STORAGE",
      say(
        "etcd compacted the revision during the read; read again, and compact less often",
      ),
      options,
    );
  }
  return new StoreError("STORAGE", say(message), options);
}

/** The caller's error if the cluster could not be reached in time. Nothing was written. */
export function unavailable(
  action: string,
  cause: unknown,
): StoreUnavailableError {
  return new StoreUnavailableError(
    `Cannot ${action}: ${
      reasonOf(cause)
    }; try again when the cluster can be reached`,
    { cause },
  );
}
