/**
 * Checks a schema: whether the log is consistent, whether the entries follow
 * from the log, whether the triggers exist, and whether each value can be read.
 * It reads one snapshot.
 *
 * @module
 */
import { quote } from "../../base/messages.ts";
import type { VerifyFinding, VerifyPart } from "../../contract/verify.ts";
import type { Judge } from "../../engine/engine.ts";
import { Findings, MOST_FINDINGS } from "../../engine/findings.ts";
import { PAGE_ENTRIES } from "../../engine/page.ts";
import type { Row } from "../connection/link.ts";
import { prunedOf, type Tables } from "./selection.ts";

const PARTS: readonly VerifyPart[] = ["triggers", "foreign", "log", "entries"];

const RENEW_LOG =
  "stop all watches, and write the entry again, or drop the schema and import an export of it";

/** Sends a query to the server, at the snapshot. */
export type AskSnapshot = (
  text: string,
  values?: unknown[],
) => Promise<Row[]>;

/** The triggers of the store. */
const TRIGGERS = [
  "zestor_lock",
  "zestor_log_insert",
  "zestor_log_update",
  "zestor_log_delete",
  "zestor_log_truncate",
];

/** One verification. */
export class Verification {
  readonly #tables: Tables;
  readonly #ask: AskSnapshot;
  readonly #judge: Judge;
  readonly #found = new Map<VerifyPart, Findings>(
    PARTS.map((part) => [part, new Findings(part)]),
  );

  /** Takes the tables, the function for queries, and the function that judges values. */
  constructor(tables: Tables, ask: AskSnapshot, judge: Judge) {
    this.#tables = tables;
    this.#ask = ask;
    this.#judge = judge;
  }

  /** The findings. */
  async findings(signal?: AbortSignal): Promise<VerifyFinding[]> {
    await this.#verifyTriggers();
    await this.#verifyGaps();
    await this.#verifyStory();
    await this.#verifyEntries();
    await this.#verifyValues(signal);
    return [...this.#found.values()].flatMap((found) => found.list());
  }

  #add(finding: VerifyFinding): void {
    this.#found.get(finding.part)!.add(finding);
  }

  /** Adds findings for the first rows of a query, and the number of the others. */
  async #addEach(
    sql: string,
    order: string,
    findingOf: (row: Row) => VerifyFinding,
  ): Promise<void> {
    const rows = await this.#ask(
      `SELECT *, count(*) OVER () AS total FROM (${sql}) AS wrong
        ORDER BY ${order} LIMIT ${MOST_FINDINGS}`,
    );
    for (const row of rows) this.#add(findingOf(row));
    const others = rows.length > 0 ? rows[0].total - rows.length : 0;
    if (others > 0) this.#found.get(findingOf(rows[0]).part)!.addOthers(others);
  }

  async #verifyTriggers(): Promise<void> {
    const rows = await this.#ask(
      `SELECT t.tgname AS name, t.tgenabled AS enabled FROM pg_catalog.pg_trigger t
        WHERE t.tgrelid = to_regclass($1) AND NOT t.tgisinternal`,
      [this.#tables.kv],
    );
    const found = new Map(rows.map(({ name, enabled }) => [name, enabled]));
    for (const name of TRIGGERS) {
      if (found.has(name) && found.get(name) !== "D") continue;
      this.#add({
        part: "triggers",
        message:
          `The trigger ${name} is missing or disabled, so changes are not logged; open the store for writing, or enable it`,
      });
    }
    for (const name of found.keys()) {
      if (TRIGGERS.includes(name)) continue;
      this.#add({
        part: "foreign",
        message: `The table zestor_kv has a foreign trigger: ${name}`,
      });
    }
  }

  async #verifyGaps(): Promise<void> {
    const { changes } = this.#tables;
    await this.#addEach(
      `SELECT before, revision FROM (
          SELECT revision, lag(revision, 1, ${
        prunedOf(this.#tables)
      }) OVER (ORDER BY revision) AS before FROM ${changes}) AS steps
        WHERE revision <> before + 1`,
      "revision",
      ({ before, revision }) => ({
        part: "log",
        revision,
        message:
          `The change log has no changes between ${before} and ${revision}; ${RENEW_LOG}`,
      }),
    );
  }

  /** Each change must follow from the previous change of its key. */
  async #verifyStory(): Promise<void> {
    const { changes } = this.#tables;
    await this.#addEach(
      `SELECT revision, kind, key, type FROM (
          SELECT *, lag(type) OVER key AS type_before, lag(version) OVER key AS version_before,
            lag(value) OVER key AS value_before, lag(revision) OVER key AS revision_before
          FROM ${changes} WINDOW key AS (PARTITION BY kind, key ORDER BY revision)) AS steps
        WHERE CASE
          WHEN type_before IS NULL THEN coalesce(previous_revision, 0) > ${
        prunedOf(this.#tables)
      }
          WHEN type_before IN ('delete', 'expire') THEN type <> 'create'
          WHEN type = 'create' THEN true
          ELSE previous IS DISTINCT FROM value_before
            OR previous_revision IS DISTINCT FROM revision_before
            OR version <> version_before + CASE type WHEN 'update' THEN 1 ELSE 0 END
          END OR CASE type WHEN 'create' THEN value IS NULL OR previous IS NOT NULL
          WHEN 'update' THEN value IS NULL OR previous IS NULL
          ELSE previous IS NULL OR value IS NOT NULL END`,
      "revision",
      ({ revision, kind, key, type }) => ({
        part: "log",
        revision,
        kind,
        key,
        message: `The change ${revision} of ${
          quote(kind, key)
        } is no ${type} that follows from the change before it; ${RENEW_LOG}`,
      }),
    );
  }

  /** The entries must follow from their last changes. */
  async #verifyEntries(): Promise<void> {
    const { kv, changes } = this.#tables;
    await this.#addEach(
      `SELECT kind, key FROM ${kv} AS e FULL JOIN (
          SELECT DISTINCT ON (kind, key) kind, key, type, version AS last_version,
            value AS last_value, revision AS last_revision, expires_at AS last_expiry
          FROM ${changes} ORDER BY kind, key, revision DESC) AS l USING (kind, key)
        WHERE CASE
          WHEN l.type IS NULL THEN e.revision > ${prunedOf(this.#tables)}
          WHEN e.version IS NULL THEN l.type IN ('create', 'update')
          ELSE l.type NOT IN ('create', 'update') OR e.value <> l.last_value
            OR e.version <> l.last_version OR e.revision <> l.last_revision
            OR e.expires_at IS DISTINCT FROM l.last_expiry END`,
      "kind, key",
      ({ kind, key }) => ({
        part: "entries",
        kind,
        key,
        message: `The entry ${
          quote(kind, key)
        } differs from the change log; ${RENEW_LOG}`,
      }),
    );
  }

  async #verifyValues(signal?: AbortSignal): Promise<void> {
    for (let after = ["", ""];;) {
      signal?.throwIfAborted();
      const rows = await this.#ask(
        `SELECT kind, key, value FROM ${this.#tables.kv}
          WHERE (kind, key) > ($1, $2) ORDER BY kind, key LIMIT ${PAGE_ENTRIES}`,
        after,
      );
      for (const { kind, key, value } of rows) {
        const problem = await this.#judge({ kind, key }, value);
        if (problem === undefined) continue;
        this.#add({ part: "entries", kind, key, message: problem });
      }
      if (rows.length < PAGE_ENTRIES) return;
      const { kind, key } = rows.at(-1)!;
      after = [kind, key];
    }
  }
}
