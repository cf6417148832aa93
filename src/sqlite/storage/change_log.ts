/**
 * Reads and prunes the change log. The log has one change for each revision. If
 * somebody removed changes from its middle, a read there throws.
 *
 * @module
 */
import { StoreError, WatchOverflowError } from "../../contract/errors.ts";
import type { KeyRange } from "../../keys/key_range.ts";
import { LAST_NUMBER } from "../../engine/last_number.ts";
import { prunedPast } from "../../engine/log_ends.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";
import type { ChangePage } from "../../engine/entries.ts";
import type { ChangeFilter } from "../../engine/change_log.ts";
import type { ChangedKey, Previous } from "../../local/storage.ts";
import type { Database } from "../connection/database.ts";
import { GET_DATA_VERSION } from "../connection/queries.ts";
import type { SqlValue } from "../driver/driver.ts";
import { BEGIN, MARK } from "../format/log_meta.ts";
import {
  GIVEN_REVISIONS,
  HEAD_REVISION,
  OLDEST_REVISION,
} from "../format/queries.ts";
import { type BoundedRows, boundedRows, type Select } from "./bounded_rows.ts";
import {
  COUNT_CHANGES,
  GET_MARK,
  GET_META,
  GET_PREVIOUS,
  LIST_CHANGED_KINDS,
  PRUNE_LOG,
  selectChangedKeys,
} from "./change_queries.ts";
import { ChangeSelects } from "./change_selects.ts";
import { keyParams, rangeParams } from "./queries.ts";
import type { WholeValues } from "./small_values.ts";
import { TextChangePages } from "./text_changes.ts";
import {
  assertAscending,
  blobOf,
  integerOf,
  nameOf,
  revisionOf,
  timeOf,
  toChange,
  toRest,
  typeOf,
} from "./rows.ts";

/** A page of changes. */
interface LogPage extends Pick<ChangePage, "changes"> {
  /** The revision of the last change, if more changes may follow. */
  readonly last: number | undefined;
}

/** The change log of one connection. It has the methods of `Changes`, except `isLogged`. */
export class ChangeLog {
  readonly #database: Database;
  readonly #texts: TextChangePages;
  readonly #selects = new ChangeSelects();
  /**
   * The newest revision in the open write transaction, or after the last one;
   * `undefined` if it is not known.
   */
  #head: number | undefined;
  /** SQLite's `data_version` in the last write transaction. It changes when another connection commits. */
  #dataVersion: SqlValue | undefined;
  #isWriting = false;
  #moves = 0;
  /**
   * Whether `#head` is the newest revision that was ever given, so that the next
   * change gets the next number. Somebody may have removed the newest changes from
   * the log.
   */
  #isNewest = false;
  /**
   * The kinds that the open write transaction changed, and the newest revision
   * before it; `undefined` if they are not known.
   */
  #written: { readonly since: number; readonly kinds: Set<string> } | undefined;

  /** Takes the connection. */
  constructor(database: Database) {
    this.#database = database;
    this.#texts = new TextChangePages(database);
  }

  /**
   * Called when the connection has the write lock. Until the transaction ends,
   * only its own writes change the newest revision.
   */
  beginWriting(): void {
    const { data_version } = this.#database.get(GET_DATA_VERSION)!;
    if (data_version !== this.#dataVersion) this.forgetHead();
    this.#dataVersion = data_version;
    this.#written = this.#isNewest
      ? { since: this.#head!, kinds: new Set() }
      : undefined;
    this.#isWriting = true;
    this.#moves++;
  }

  /** Called after a commit. The newest revision stays known until another connection commits. */
  endWriting(): void {
    this.#isWriting = false;
  }

  /** Called when the write transaction is rolled back. */
  abandonWriting(): void {
    this.#isWriting = false;
    this.forgetHead();
  }

  /**
   * The revision that the next change gets. If it is a guess, the triggers correct
   * the entry's revision.
   */
  nextRevision(): number {
    const next = 1 + (this.#isNewest ? this.#head! : this.#readNewest());
    // Past the last number, reading the head fails.
    return Math.min(next, LAST_NUMBER);
  }

  /** Reads the newest revision that was given. If the file is damaged, the result is a guess. */
  #readNewest(): number {
    const { newest, given } = this.#database.get(GIVEN_REVISIONS)!;
    this.#isNewest = newest === given && Number.isSafeInteger(newest);
    if (this.#isNewest) return this.#head = newest as number;
    // Damage can give NaN. Then the guess is 0, which the triggers correct.
    return Math.max(Number(newest), Number(given)) || 0;
  }

  /**
   * A number that is unchanged within a transaction as long as no entry is
   * written, and no write is undone.
   */
  get moves(): number {
    return this.#moves;
  }

  /**
   * Called when the connection has written `count` entries of a kind, and its
   * triggers have logged each of them once.
   */
  noteWrites(kind: string, count: number): void {
    this.#moves++;
    this.#written?.kinds.add(kind);
    const head = this.#isNewest ? this.#head! + count : undefined;
    this.#head = head !== undefined && head <= LAST_NUMBER ? head : undefined;
    // The newest change is in the log now.
    this.#isNewest = this.#head !== undefined;
  }

  /** Called when a write was undone, or when other triggers may have written. */
  forgetHead(): void {
    this.#moves++;
    this.#written = undefined;
    this.#head = undefined;
    this.#isNewest = false;
  }

  /** The kinds of the changes past a revision, if the open write transaction made all of these changes. */
  writtenKinds(since: number): ReadonlySet<string> | undefined {
    return this.#written?.since === since ? this.#written.kinds : undefined;
  }

  /**
   * The revision of the last change that the connection wrote. If it is past
   * the last number, `headRevision` fails.
   */
  writtenRevision(): number {
    if (this.#head !== undefined) return this.#head;
    const revision = Number(this.#database.get(HEAD_REVISION)!.revision);
    if (revision > LAST_NUMBER) return LAST_NUMBER;
    const head = this.headRevision();
    // The change that was just logged has the newest revision that was ever given.
    this.#isNewest = this.#head !== undefined;
    return head;
  }

  headRevision(): number {
    if (this.#isWriting && this.#head !== undefined) return this.#head;
    const { revision } = this.#database.get(HEAD_REVISION)!;
    if (this.#isWriting && Number(revision) > LAST_NUMBER) {
      throw pastLastRevision();
    }
    const head = integerOf("revision", revision);
    if (this.#isWriting) this.#head = head;
    return head;
  }

  oldestRevision(): number {
    return integerOf("revision", this.#database.get(OLDEST_REVISION)!.revision);
  }

  readChanges(
    filter: ChangeFilter,
    after: number,
    until: number,
    limit: number,
  ): ChangePage {
    const { changes, last } = this.#readTexts(filter, limit, after, until) ??
      this.#readPage(filter, limit, false, [after, until]);
    assertAscending(after, changes);
    const cursor = last ?? until;
    this.#assertGapless(after, cursor);
    return { changes, cursor };
  }

  readChangesBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
  ): ChangePage {
    const { changes, last } = this.#readPage(filter, limit, true, [
      after,
      before - 1,
    ]);
    assertAscending(after, changes.toReversed());
    const cursor = last ?? after + 1;
    this.#assertGapless(cursor - 1, Math.min(before - 1, this.headRevision()));
    return { changes, cursor };
  }

  /** Reads a page of the changes past a revision, up to another. */
  #readPage(
    filter: ChangeFilter,
    limit: number,
    reverse: boolean,
    [after, until]: [number, number],
  ): LogPage {
    const sql = this.#selects.of(filter, reverse ? "back" : "forward");
    const others = [...filter.kinds ?? [], ...keyParams(filter.keys)];
    const select = (between: SqlValue[], values: WholeValues): Select => ({
      sql: sql[values],
      params: [...between, ...others],
    });
    const upTo = (last: number): SqlValue[] =>
      reverse ? [last - 1, until] : [after, last];
    const most = Math.min(limit, PAGE_ENTRIES);
    const { rows, last } = until - after === 1
      ? this.#readOne(select([after, until], "all"))
      : boundedRows(this.#database, {
        small: select([after, until], "small"),
        wholeUpTo: (last) =>
          select(last ? upTo(revisionOf(last)) : [after, until], "all"),
        limit: most,
        bytes: PAGE_BYTES,
      });
    const changes = rows.map((row) => toChange(row, () => this.#fileMark()));
    return { changes, last: last && revisionOf(last) };
  }

  #readTexts(
    filter: ChangeFilter,
    limit: number,
    after: number,
    until: number,
  ): LogPage | undefined {
    const page = this.#texts.read(filter, after, until, limit);
    if (!page) return undefined;
    const { changes, isFull } = page;
    return { changes, last: isFull ? changes.at(-1)!.revision : undefined };
  }

  /** Reads one change, however large it is. */
  #readOne({ sql, params }: Select): BoundedRows {
    return { rows: this.#database.all(sql, ...params, 1) };
  }

  listChangedKeys(
    kind: string,
    range: KeyRange,
    after: number,
    until: number,
  ): ChangedKey[] {
    const keys = this.#database.all(
      selectChangedKeys(range),
      after,
      until,
      ...rangeParams(kind, range),
    )
      // A key that cannot be read cannot be in a result.
      .filter(({ key }) => key !== null)
      .map((row) => ({ key: nameOf(row.key), revision: revisionOf(row) }));
    this.#assertGapless(after, until);
    return keys;
  }

  listChangedKinds(after: number, until: number): string[] {
    const kinds = this.#database.all(LIST_CHANGED_KINDS, after, until)
      .map((row) => row.kind as string);
    this.#assertGapless(after, until);
    return kinds;
  }

  /**
   * Throws `WatchOverflowError` if the log lacks a change past a revision, up to
   * another. It is called after the read: a change that is in the log now was in it
   * during the read.
   */
  #assertGapless(after: number, until: number): void {
    // The count includes the change that was read last. If the log still has it,
    // the log did not begin again in the meantime.
    const { count } = this.#database.get(COUNT_CHANGES, after, until)!;
    if (count === until - after + 1) return;
    const oldest = this.oldestRevision();
    if (after < oldest - 1) throw prunedPast(after, oldest);
    if (after === oldest - 1 && count === until - after) return;
    throw gapError(after, until);
  }

  getPrevious(revision: number): Previous | undefined {
    const row = this.#database.get(GET_PREVIOUS, revision);
    if (!row) {
      if (revision < this.oldestRevision()) return undefined;
      throw gapError(revision - 1, revision);
    }
    const type = typeOf(row);
    if (type === "create") return undefined;
    if (row.mark === null) throw notNotedError(revision);
    const { version, ...rest } = toRest(row);
    return {
      ...rest,
      version: type === "update" ? version - 1 : version,
      value: blobOf(row.previous),
    };
  }

  getMark(revision: number): number | undefined {
    const row = this.#database.get(GET_MARK, revision);
    if (row) return row.mark === null ? this.#fileMark() : row.mark as number;
    return revision === this.#meta(BEGIN) ? this.#fileMark() : undefined;
  }

  getTime(revision: number): Date | undefined {
    const row = this.#database.get(GET_MARK, revision);
    return row && timeOf(row);
  }

  /**
   * The mark of the revision at which the log begins, and of the changes of
   * format 1; 0 in a file of format 1.
   */
  #fileMark(): number {
    return this.#meta(MARK) ?? 0;
  }

  #meta(name: string): number | undefined {
    const text = this.#database.get(GET_META, name)?.value;
    return text === undefined ? undefined : Number(text);
  }

  prune(until: number): void {
    this.#database.run(PRUNE_LOG, until);
  }
}

function pastLastRevision(): StoreError {
  return new StoreError(
    "STORAGE",
    `Cannot write: the store's last revision is ${LAST_NUMBER}, and this change would have a later one; export the entries, and import them into a new file`,
  );
}

function notNotedError(revision: number): WatchOverflowError {
  return new WatchOverflowError(
    "pruned",
    `Cannot read the entry that revision ${revision} replaced: an earlier version of @zestor/store logged this change without all of it; read the kind again, and watch from there`,
  );
}

function gapError(after: number, until: number): WatchOverflowError {
  return new WatchOverflowError(
    "broken",
    `Cannot watch after revision ${after}: somebody took changes up to ${until} out of the change log; read the kind again and watch from there, and see the findings of verify()`,
  );
}
