/**
 * Checks a storage: each entry and each change by itself, whether the log is
 * consistent, and whether the entries follow from it.
 *
 * In memory it keeps the last change of each key, but never a value. To compare
 * two values, it reads the earlier one again.
 *
 * @module
 */
import { platform } from "../base/platform.ts";
import { equalBytes } from "../base/bytes.ts";
import type { VerifyFinding, VerifyPart } from "../contract/verify.ts";
import { quote } from "../base/messages.ts";
import { InvalidNameError, StoreCorruptError } from "../contract/errors.ts";
import { compareKeys } from "../keys/key_order.ts";
import { assertEntryName } from "../keys/names.ts";
import { isPromise, unlessAborted } from "../base/promises.ts";
import type {
  FoundChange,
  FoundEntry,
  Storage,
  Verifiable,
} from "./storage.ts";
import type { Judge } from "../engine/engine.ts";
import { Findings } from "../engine/findings.ts";
import type { Turns } from "./turns.ts";

const PARTS: readonly VerifyPart[] = [
  "file",
  "triggers",
  "foreign",
  "log",
  "entries",
];

const REWRITE = "write the entry again, or delete it";
/** A version that cannot be read cannot be written either. */
const RENUMBER = "set its version by SQL";
const RENEW_LOG =
  "stop all watches, drop the table zestor_changes, and open the store again: then a new log begins";

/** A kind and a key that are valid. */
interface Name {
  readonly kind: string;
  readonly key: string;
}

/** The last change of a key in the log. */
type LastChange = Pick<
  FoundChange,
  "revision" | "type" | "version" | "isEarlier"
>;

/** One verification of a storage. */
export class Verification {
  readonly #storage: Storage;
  readonly #judge: Judge;
  readonly #findings = new Map<VerifyPart, Findings>(
    PARTS.map((part) => [part, new Findings(part)]),
  );
  /** By kind, then by key. */
  readonly #lastChanges = new Map<string, Map<string, LastChange>>();
  /** Whether the log reaches back to the very first change. */
  #logIsWhole = false;
  /** Values that are still being judged, because a transaction waits for no promise. */
  readonly #judging = new Set<Promise<void>>();

  /** Takes the storage, and the function that judges values. */
  constructor(storage: Storage, judge: Judge) {
    this.#storage = storage;
    this.#judge = judge;
  }

  /** Reads everything, in its turn. Rejects with `signal.reason` when the signal aborts. */
  async read(turns: Turns, signal?: AbortSignal): Promise<void> {
    try {
      await turns.readInSlices(
        () => this.#storage.openVerification(),
        (verifiable) => this.#verifyAll(verifiable),
        signal,
      );
    } catch (error) {
      const told = this.#storage.errorOf("verify", error);
      // Not even a read could begin.
      if (!(told instanceof StoreCorruptError)) throw told;
      this.#add({ part: "file", message: told.message });
    }
  }

  /** The findings, when every value is judged. The storage is no longer read. */
  async findings(signal?: AbortSignal): Promise<VerifyFinding[]> {
    await unlessAborted(Promise.all(this.#judging), signal);
    return [...this.#findings.values()].flatMap((found) => found.list());
  }

  *#verifyAll(verifiable: Verifiable): Generator<void, void> {
    for (const { part, find } of verifiable.ownVerifications) {
      yield* this.#unlessCorrupt(part, this.#addAll(find()));
    }
    const logIsRead = yield* this.#unlessCorrupt(
      "log",
      this.#verifyLog(verifiable),
    );
    // If the log could not be read to its end, the last changes are unknown.
    if (!logIsRead) {
      this.#lastChanges.clear();
      this.#logIsWhole = false;
    }
    const allRead = yield* this.#unlessCorrupt(
      "entries",
      this.#verifyEntries(verifiable),
    );
    if (allRead) yield* this.#addMissing();
  }

  /** Checks a part. If it cannot be read, that is a finding, and the other parts are still checked. */
  *#unlessCorrupt(
    part: VerifyPart,
    work: Generator<void, void>,
  ): Generator<void, boolean> {
    try {
      yield* work;
      return true;
    } catch (error) {
      const told = this.#storage.errorOf("verify", error);
      if (!(told instanceof StoreCorruptError)) throw error;
      this.#add({ part, message: told.message });
      return false;
    }
  }

  *#addAll(
    findings: Iterable<VerifyFinding | undefined>,
  ): Generator<void, void> {
    for (const finding of findings) {
      if (finding) this.#add(finding);
      yield;
    }
  }

  #add(finding: VerifyFinding): void {
    this.#findings.get(finding.part)!.add(finding);
  }

  // The log.

  *#verifyLog(verifiable: Verifiable): Generator<void, void> {
    let next: number | undefined;
    for (const change of verifiable.changes()) {
      const { revision } = change;
      if (next === undefined) this.#logIsWhole = revision === 1;
      else if (revision !== next) this.#addGap(next, revision - 1);
      next = revision + 1;
      this.#verifyChange(change, verifiable);
      yield;
    }
  }

  #addGap(first: number, last: number): void {
    const message = first === last
      ? `Revision ${first} is missing from the change log`
      : `The revisions ${first} to ${last} are missing from the change log`;
    this.#add({
      part: "log",
      message: `${message}; ${RENEW_LOG}`,
      revision: first,
    });
    // Any key may have changed in between.
    this.#lastChanges.clear();
    this.#logIsWhole = false;
  }

  #verifyChange(change: FoundChange, verifiable: Verifiable): void {
    const { revision, type, version, isEarlier } = change;
    const add = (problem: string, name?: Name) =>
      this.#add({
        part: "log",
        message: `Revision ${revision} ${problem}; ${RENEW_LOG}`,
        ...name,
        revision,
      });
    const wrongName = nameProblem(change);
    if (wrongName) {
      return add(`is of an entry with an invalid name: ${wrongName}`);
    }
    const name = nameOf(change);
    const keys = this.#keysOf(name.kind);
    const last = keys.get(name.key);
    keys.set(name.key, { revision, type, version, isEarlier });
    for (const problem of this.#problemsOf(change, last, verifiable)) {
      add(`${problem}, in a change of ${quote(name.kind, name.key)}`, name);
    }
  }

  #keysOf(kind: string): Map<string, LastChange> {
    let keys = this.#lastChanges.get(kind);
    if (!keys) this.#lastChanges.set(kind, keys = new Map());
    return keys;
  }

  *#problemsOf(
    change: FoundChange,
    last: LastChange | undefined,
    verifiable: Verifiable,
  ): Generator<string> {
    const { type, version, value, previous } = change;
    if (type !== "create" && type !== "update" && type !== "delete") {
      return yield `has the type ${platform.inspect(type)}`;
    }
    if (!isVersion(version)) yield versionProblem(version);
    if ((value === undefined) !== (type === "delete")) {
      yield value ? "has a value, although it is a deletion" : "has no value";
    }
    if ((previous === undefined) !== (type === "create")) {
      yield previous
        ? "has a previous value, although it is a creation"
        : "has no previous";
    }
    if (change.problem !== undefined) yield change.problem;
    if (change.isEarlier && change.revision > verifiable.logBegin) {
      yield "has no mark";
    }
    const wasThere = last ? last.type !== "delete" : !this.#logIsWhole;
    if (type === "create") {
      if (last && wasThere) {
        yield `creates an entry that existed since revision ${last.revision}`;
      }
      return;
    }
    if (!wasThere) return yield `${type}s an entry that did not exist`;
    if (!last) return;
    const expected = Number(last.version) + (type === "update" ? 1 : 0);
    if (isVersion(version) && version !== expected) {
      yield `has version ${version}, expected ${expected}`;
    }
    if (previous && !equalBytes(previous, verifiable.valueOf(last.revision))) {
      yield `has another previous value than revision ${last.revision} wrote`;
    }
    const replaced = revisionAfter(last, verifiable);
    if (!change.isEarlier && change.previousRevision !== replaced) {
      const told = platform.inspect(change.previousRevision);
      yield `replaces revision ${told}, expected ${replaced}`;
    }
  }

  // The entries.

  *#verifyEntries(verifiable: Verifiable): Generator<void, void> {
    let before: Name | undefined;
    for (const entry of verifiable.entries()) {
      const wrongName = nameProblem(entry);
      if (wrongName) {
        const message =
          `An entry has an invalid name: ${wrongName}; rename it, or delete it, by SQL`;
        this.#add({ part: "entries", message });
      } else {
        const name = nameOf(entry);
        this.#verifyOrder(before, name);
        this.#verifyEntry(entry, name, verifiable);
        before = name;
      }
      yield;
    }
  }

  #addEntry({ kind, key }: Name, problem: string, revision?: number): void {
    const message = `${quote(kind, key)} ${problem}; ${REWRITE}`;
    const where = revision === undefined ? {} : { revision };
    this.#add({ part: "entries", message, kind, key, ...where });
  }

  #verifyOrder(before: Name | undefined, name: Name): void {
    if (!before) return;
    const order = compareKeys(before.kind, name.kind) ||
      compareKeys(before.key, name.key);
    if (order < 0) return;
    const problem = order === 0
      ? "is there twice"
      : `comes after ${quote(before.kind, before.key)}`;
    this.#addEntry(name, problem);
  }

  #verifyEntry(entry: FoundEntry, name: Name, verifiable: Verifiable): void {
    const { version, value, updatedAt, expiresAt } = entry;
    if (!isVersion(version)) {
      const problem = versionProblem(version);
      const message = `${quote(name.kind, name.key)} ${problem}; ${RENUMBER}`;
      this.#add({ part: "entries", message, ...name });
    }
    if (Number.isNaN(updatedAt.getTime())) {
      this.#addEntry(name, "has no readable time of its last change");
    }
    if (expiresAt !== undefined && !Number.isSafeInteger(expiresAt)) {
      const problem = `has the expiry ${platform.inspect(expiresAt)}`;
      this.#addEntry(name, `${problem}, expected an integer or none`);
    }
    if (value) this.#verifyValue(name, value);
    else this.#addEntry(name, "has no value");
    this.#verifyAgainstLog(entry, name, verifiable);
  }

  #verifyValue(name: Name, bytes: Uint8Array): void {
    const add = (problem: string | undefined) => {
      if (problem === undefined) return;
      const message = `${problem}; ${REWRITE}`;
      this.#add({ part: "entries", message, ...name });
    };
    // A copy, because a codec may give its bytes away.
    const problem = this.#judge(name, bytes.slice());
    if (!isPromise(problem)) return add(problem);
    const judging = Promise.resolve(problem).then(add);
    this.#judging.add(judging);
    judging.then(() => this.#judging.delete(judging), () => {});
  }

  #verifyAgainstLog(
    { version, value, revision: told }: FoundEntry,
    name: Name,
    verifiable: Verifiable,
  ): void {
    const keys = this.#lastChanges.get(name.kind);
    const last = keys?.get(name.key);
    keys?.delete(name.key);
    if (!last) {
      if (!isRevision(told)) {
        const problem = `has the revision ${platform.inspect(told)}`;
        this.#addEntry(name, `${problem}, expected an integer from 0 on`);
      }
      if (this.#logIsWhole) this.#addEntry(name, "has no change in the log");
      return;
    }
    const { revision } = last;
    if (last.type === "delete") {
      const problem = `exists, although revision ${revision} deleted it`;
      return this.#addEntry(name, problem, revision);
    }
    if (version !== last.version) {
      const problem =
        `has version ${version}, but version ${last.version} in its last change, revision ${revision}`;
      this.#addEntry(name, problem, revision);
    }
    const expected = revisionAfter(last, verifiable);
    if (told !== expected) {
      const problem = `has the revision ${platform.inspect(told)}`;
      this.#addEntry(
        name,
        `${problem}, expected ${expected}, that of its last change`,
        revision,
      );
    }
    if (value && !equalBytes(value, verifiable.valueOf(revision))) {
      const problem =
        `has another value than its last change, revision ${revision}, wrote`;
      this.#addEntry(name, problem, revision);
    }
  }

  /** Entries that the log has left, but that are missing. */
  *#addMissing(): Generator<void, void> {
    for (const [kind, keys] of this.#lastChanges) {
      for (const [key, { type, revision }] of keys) {
        if (type !== "delete") {
          const problem =
            `does not exist, although revision ${revision} wrote it`;
          this.#addEntry({ kind, key }, problem, revision);
        }
        yield;
      }
    }
  }
}

/** Why a kind and a key are invalid. */
function nameProblem(
  { kind, key }: { readonly kind: unknown; readonly key: unknown },
): string | undefined {
  try {
    assertEntryName(kind, key);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidNameError) return error.message;
    throw error;
  }
}

/** A valid name. */
function nameOf({ kind, key }: { kind: unknown; key: unknown }): Name {
  return { kind: kind as string, key: key as string };
}

/** The revision that an entry has after a change. */
function revisionAfter(
  { revision, isEarlier }: LastChange,
  { logBegin }: Verifiable,
): number {
  return isEarlier ? logBegin : revision;
}

function isRevision(revision: unknown): revision is number {
  return Number.isSafeInteger(revision) && (revision as number) >= 0;
}

function isVersion(version: unknown): version is number {
  return Number.isSafeInteger(version) && (version as number) >= 1;
}

function versionProblem(version: unknown): string {
  return `has the version ${
    platform.inspect(version)
  }, expected an integer from 1 on`;
}
