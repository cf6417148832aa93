/**
 * Inspects a server's schema, and upgrades it to the current format.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { StoreOpenError } from "../../contract/errors.ts";
import type { KindCodecs } from "../../values/codecs/kind_codecs.ts";
import {
  codecConflict,
  codecNames,
  type Meta,
  remembersCodecs,
} from "../../values/codecs/remembered_codecs.ts";
import type { Link } from "../connection/link.ts";
import {
  GRANTS_TO_WRITE,
  lacksRights,
  makingFailed,
  mayNotRead,
  notOurs,
  shapeFailed,
} from "./schema_errors.ts";
import { FORMAT, TABLES } from "./tables.ts";
import { quoteIdentifier, quoteLiteral, triggersOf } from "./triggers.ts";
import { writeFunctionOf } from "./write_function.ts";

/** The oldest supported server, as `server_version_num`: it can replace triggers in place. */
const OLDEST_SERVER = 140_000;

/** The lock that is held while a schema is created, because two stores may do it at once. */
const MAKING = 2053468784;

/** The settings of a store. */
export interface SchemaSettings {
  readonly schema: string;
  readonly codecs: KindCodecs;
  /** Whether nothing may be created or changed. */
  readonly readOnly: boolean;
  /** How long to wait for a lock, in ms. */
  readonly busyTimeout: number;
}

/** The state of a schema, and the permitted operations. */
export interface SchemaState {
  /** Why the store is read-only, if it is. */
  readonly readOnly?: string;
  /**
   * Whether each call needs a transaction around it, because the default
   * isolation level is not READ COMMITTED.
   */
  readonly needsTransaction: boolean;
  /** The version of the server. */
  readonly server: string;
  /** The channel for notifications of changes. */
  readonly channel: string;
}

/** The channel of a schema: the name for `LISTEN` has at most 63 bytes. */
export function channelOf(schema: string): string {
  const name = `zestor:${schema}`;
  if (new TextEncoder().encode(name).length <= 63) return name;
  return `zestor:${createHash("sha256").update(schema).digest("hex")}`.slice(
    0,
    63,
  );
}

/** Inspects the schema. Creates or upgrades it if that is necessary and permitted. */
export async function prepareSchema(
  link: Link,
  settings: SchemaSettings,
): Promise<SchemaState> {
  const server = await lookAtServer(link);
  try {
    return await prepareAt(link, settings, server);
  } catch (error) {
    throw lacksRights(error, settings.schema, server.user) ?? error;
  }
}

async function prepareAt(
  link: Link,
  settings: SchemaSettings,
  { user, isStandby, ...server }: ServerFacts,
): Promise<SchemaState> {
  const { schema, readOnly } = settings;
  let found = await lookAtSchema(link, schema);
  const channel = channelOf(schema);
  const code = codeOfSchema(schema, channel, found.owner ?? user);
  assertFormat(found, schema);
  const isCurrent = found.format === FORMAT && found.meta.get("code") === code;
  const mayMake = !readOnly && !isStandby;
  const reason = isStandby
    ? "the server is read-only, as a standby is; write to the primary"
    : readOnly
    ? "it was opened only to read"
    : undefined;
  if (!isCurrent && mayMake && (found.format === 0 || found.isOwner)) {
    await make(link, settings, channel);
    found = await lookAtSchema(link, schema);
    assertFormat(found, schema);
  }
  if (found.format === 0) {
    throw new StoreOpenError(
      `Cannot open store: the schema "${schema}" contains no store${
        reason === undefined ? "" : `, and ${reason}`
      }; open it once with a role that may create it`,
    );
  }
  if (!found.mayRead) throw mayNotRead(schema, user);
  await assertCodecs(link, schema, found.meta, settings.codecs);
  const state = { ...server, channel };
  if (reason !== undefined) return { ...state, readOnly: reason };
  if (!found.mayWrite) {
    return {
      ...state,
      readOnly:
        `the role "${user}" may not write; grant it ${GRANTS_TO_WRITE} in the schema "${schema}"`,
    };
  }
  await rememberCodecs(link, schema, found.meta, settings.codecs);
  return state;
}

/** The facts about a server, and about our role on it. */
interface ServerFacts {
  readonly server: string;
  readonly needsTransaction: boolean;
  readonly user: string;
  readonly isStandby: boolean;
}

async function lookAtServer(link: Link): Promise<ServerFacts> {
  const [row] = await link.query({
    text: `SELECT current_setting('server_version_num')::int AS number,
      current_setting('server_version') AS version,
      current_setting('server_encoding') AS encoding,
      current_setting('default_transaction_isolation') AS isolation,
      current_user AS user,
      pg_catalog.pg_is_in_recovery()
        OR current_setting('transaction_read_only') = 'on' AS standby`,
  });
  if (row.number < OLDEST_SERVER) {
    throw new StoreOpenError(
      `Cannot open store: the server is PostgreSQL ${row.version}, and the oldest one that the store supports is ${
        OLDEST_SERVER / 10_000
      }; use a newer server`,
    );
  }
  if (row.encoding !== "UTF8") {
    throw new StoreOpenError(
      `Cannot open store: the database's encoding is ${row.encoding}, and kinds and keys need UTF8; create a database with ENCODING 'UTF8'`,
    );
  }
  return {
    server: row.version as string,
    needsTransaction: row.isolation !== "read committed",
    user: row.user as string,
    isStandby: row.standby as boolean,
  };
}

interface FoundSchema {
  /** 0 if there is no store. */
  readonly format: number;
  readonly meta: Meta;
  /** The owner of the tables. */
  readonly owner?: string;
  /** Whether the role has the rights of the owner. */
  readonly isOwner: boolean;
  /** Whether the tables have the columns of a store. */
  readonly isWhole: boolean;
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
}

/** The columns of an entry. */
const ENTRY = [
  ...["kind", "key", "value", "version"],
  ...["updated_at", "revision", "expires_at"],
];

async function lookAtSchema(link: Link, schema: string): Promise<FoundSchema> {
  const name = quoteIdentifier(schema);
  const table = quoteLiteral(`${name}.zestor_meta`);
  const tableMay = (table: string, right: string) =>
    `has_table_privilege(pg_catalog.to_regclass(${
      quoteLiteral(`${name}.${table}`)
    }), '${right}')`;
  const hasColumns = (table: string, columns: readonly string[]) =>
    `(SELECT count(*) FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass(${
      quoteLiteral(`${name}.${table}`)
    }) AND attname IN (${columns.map(quoteLiteral)})) = ${columns.length}`;
  const [found] = await link.query({
    text: `SELECT r.rolname AS owner,
        pg_catalog.pg_has_role(c.relowner, 'USAGE') AS "isOwner",
        ${hasColumns("zestor_kv", ENTRY)} AND ${
      hasColumns("zestor_changes", [...ENTRY.slice(0, 4), "mark", "previous"])
    } AS "isWhole",
        coalesce(${tableMay("zestor_kv", "SELECT")}
          AND ${tableMay("zestor_changes", "SELECT")}, false) AS "mayRead",
        -- A writer that decides under the lock also locks the table.
        coalesce(${tableMay("zestor_kv", "INSERT, UPDATE, DELETE")}
          AND (SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE'))
          FROM pg_catalog.pg_proc p WHERE p.pronamespace = c.relnamespace
          AND p.proname IN ('zestor_write', 'zestor_write_one', 'zestor_tidy')), false) AS "mayWrite"
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
      WHERE c.oid = pg_catalog.to_regclass(${table})`,
  });
  if (!found) {
    return {
      format: 0,
      meta: new Map(),
      isOwner: false,
      isWhole: false,
      mayRead: false,
      mayWrite: false,
    };
  }
  const rows = await link.query({
    text: `SELECT name, value FROM ${name}.zestor_meta`,
  }).catch((error) => {
    throw shapeFailed(error, schema) ?? error;
  });
  const meta = new Map(rows.map(({ name, value }) => [name, value]));
  return {
    format: Number(meta.get("format")),
    meta,
    owner: found.owner,
    isOwner: found.isOwner,
    isWhole: found.isWhole,
    mayRead: found.mayRead,
    mayWrite: found.mayWrite,
  };
}

function assertFormat(
  { format, owner, isWhole }: FoundSchema,
  schema: string,
): void {
  if (owner === undefined) return;
  if (!Number.isInteger(format) || format < 1) {
    throw notOurs("zestor_meta has no format", schema);
  }
  if (format === FORMAT && !isWhole) {
    throw notOurs("columns of zestor_kv or zestor_changes are missing", schema);
  }
  if (format <= FORMAT) return;
  throw new StoreOpenError(
    `Cannot open store: the format of the schema "${schema}" is ${format}, but this version supports formats up to ${FORMAT}; use a newer version of @zestor/store`,
  );
}

/** Distinguishes this code's functions and triggers from those of another version. */
function codeOfSchema(schema: string, channel: string, owner: string): string {
  return createHash("sha256").update(owner).update(triggersOf(schema, channel))
    .update(writeFunctionOf(schema, channel)).digest("hex");
}

/** Creates or upgrades the schema, in one transaction. */
async function make(
  link: Link,
  { schema, codecs, busyTimeout }: SchemaSettings,
  channel: string,
): Promise<void> {
  const name = quoteIdentifier(schema);
  await link.query({ text: "BEGIN ISOLATION LEVEL READ COMMITTED" });
  let isNew = true;
  try {
    await link.query({
      text: `SET LOCAL lock_timeout = ${busyTimeout};
        SET LOCAL client_min_messages = warning`,
    });
    await link.query({
      text: `SELECT pg_catalog.pg_advisory_xact_lock(${MAKING}, 0)`,
    });
    const found = await lookAtSchema(link, schema);
    assertFormat(found, schema);
    const [{ exists, user }] = await link.query({
      text: `SELECT pg_catalog.to_regnamespace(${
        quoteLiteral(name)
      }) IS NOT NULL AS exists, current_user AS user`,
    });
    isNew = !exists;
    if (isNew) await link.query({ text: `CREATE SCHEMA ${name}` });
    await link.query({ text: `SET LOCAL search_path = ${name}, pg_temp` });
    if (found.format === 0) await link.query({ text: TABLES });
    await link.query({
      text: triggersOf(schema, channel) + writeFunctionOf(schema, channel) +
        OWN_FUNCTIONS,
    });
    const code = codeOfSchema(schema, channel, found.owner ?? user);
    const names = found.format === 0 ? [...codecNames(codecs)] : [];
    const meta = [["code", code], ...names].map(([name, value]) =>
      `(${quoteLiteral(name)}, ${quoteLiteral(value)})`
    );
    await link.query({
      text: `INSERT INTO zestor_meta (name, value) VALUES ${meta}
        ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    });
    await link.query({ text: "COMMIT" });
  } catch (error) {
    if (!link.isDead) await link.query({ text: "ROLLBACK" }).catch(() => {});
    throw makingFailed(error, schema, isNew);
  }
}

/**
 * Gives the functions to the owner of the tables, because they run with the
 * rights of their owner. A superuser may have created them, or the tables may
 * have a new owner.
 */
const OWN_FUNCTIONS = `
DO $$
DECLARE command text;
BEGIN
  FOR command IN SELECT format('ALTER FUNCTION %s OWNER TO %s', p.oid::regprocedure, c.relowner::regrole)
    FROM pg_proc p JOIN pg_class c ON c.oid = 'zestor_meta'::regclass
    WHERE p.pronamespace = c.relnamespace AND starts_with(p.proname, 'zestor_') AND p.proowner <> c.relowner
  LOOP
    EXECUTE command;
  END LOOP;
END $$;`;

async function assertCodecs(
  link: Link,
  schema: string,
  meta: Meta,
  codecs: KindCodecs,
): Promise<void> {
  if (!remembersCodecs(meta)) return;
  const rows = codecs.namedKinds.length === 0 ? [] : await link.query({
    text:
      `SELECT kind FROM unnest($1::text[]) AS named (kind) WHERE EXISTS (SELECT FROM ${
        quoteIdentifier(schema)
      }.zestor_kv AS e WHERE e.kind = named.kind)`,
    values: [codecs.namedKinds],
  });
  const kinds = rows.map(({ kind }) => kind as string);
  const conflict = codecConflict(meta, codecs, kinds);
  if (conflict) throw new StoreOpenError(`Cannot open store: ${conflict}`);
}

/** Stores the codecs of new kinds. */
async function rememberCodecs(
  link: Link,
  schema: string,
  meta: Meta,
  codecs: KindCodecs,
): Promise<void> {
  const fresh = [...codecNames(codecs)].filter(([name]) => !meta.has(name));
  if (fresh.length === 0) return;
  const rows = fresh.map(([name, codec]) =>
    `(${quoteLiteral(name)}, ${quoteLiteral(codec)})`
  );
  await link.query({
    text: `INSERT INTO ${
      quoteIdentifier(schema)
    }.zestor_meta (name, value) VALUES ${rows} ON CONFLICT DO NOTHING`,
  });
}
