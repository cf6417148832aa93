/**
 * The header of each value in etcd. It holds the version and the times of the
 * entry, because etcd has no field for them.
 *
 * The header is a form (1 byte), flags (1 byte), the version, the revision and
 * the time of the last change, and the expiry if the entry expires. The last
 * four are doubles: times are in ms since 1970, the others are safe integers. The
 * bytes of the value follow.
 *
 * @module
 */

/** The form that this code writes. */
const FORM = 1;

const EXPIRES = 1;
const IS_NEW = 2;

/** An entry as etcd keeps it. */
export interface Kept {
  readonly value: Uint8Array;
  readonly version: number;
  /** The revision of its last change. */
  readonly revision: number;
  /** In ms since 1970. */
  readonly updatedAt: number;
  readonly expiresAt: number | undefined;
  /** Whether its last change created it. */
  readonly isNew: boolean;
}

/** Encodes an entry as bytes. */
export function wrap(
  { value, version, revision, updatedAt, expiresAt, isNew }: Kept,
): Uint8Array {
  const size = headerSize(expiresAt !== undefined);
  const bytes = new Uint8Array(size + value.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, FORM);
  view.setUint8(
    1,
    (expiresAt === undefined ? 0 : EXPIRES) | (isNew ? IS_NEW : 0),
  );
  view.setFloat64(2, version);
  view.setFloat64(10, revision);
  view.setFloat64(18, updatedAt);
  if (expiresAt !== undefined) view.setFloat64(26, expiresAt);
  bytes.set(value, size);
  return bytes;
}

/** Decodes an entry; `undefined` if no store that uses this form wrote the bytes. */
export function unwrap(bytes: Uint8Array): Kept | undefined {
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteLength < headerSize(false) || bytes[0] !== FORM) return undefined;
  const view = new DataView(buffer, byteOffset, byteLength);
  const flags = view.getUint8(1);
  const expires = (flags & EXPIRES) !== 0;
  if (byteLength < headerSize(expires)) return undefined;
  const kept = {
    value: new Uint8Array(bytes.subarray(headerSize(expires))),
    version: view.getFloat64(2),
    revision: view.getFloat64(10),
    updatedAt: view.getFloat64(18),
    expiresAt: expires ? view.getFloat64(26) : undefined,
    isNew: (flags & IS_NEW) !== 0,
  };
  const isSound = Number.isSafeInteger(kept.version) && kept.version > 0 &&
    Number.isSafeInteger(kept.revision) && kept.revision > 0 &&
    !Number.isNaN(kept.updatedAt);
  return isSound ? kept : undefined;
}

/** Whether an entry exists and has not expired at a time, in ms since 1970. */
export function isLive(kept: Kept | undefined, time: number): kept is Kept {
  return kept !== undefined &&
    (kept.expiresAt === undefined || kept.expiresAt > time);
}

function headerSize(expires: boolean): number {
  return expires ? 34 : 26;
}
