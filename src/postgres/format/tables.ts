/**
 * The tables of a store, as SQL. The caller's `search_path` has the schema.
 *
 * @module
 */
import { MARKS } from "../../engine/cursor.ts";

/** The newest format that this code knows. Each change to a table makes a new one. */
export const FORMAT = 1;

/** 48 random bits, which distinguish a change from a change of another history at the same revision. */
export const MARK = `floor(random() * ${MARKS})::bigint`;

const NAME = `text COLLATE "C" NOT NULL`;

/**
 * The SQL of the tables. `"C"` is the order of UTF-8 bytes, which is the order
 * of keys. Values are not compressed: with `EXTERNAL`, a comparison can read
 * the length first
 * (https://www.postgresql.org/docs/current/storage-toast.html).
 *
 * Everybody uses the table `zestor_kv`. Its triggers log each statement that
 * names it. Its rows are in `zestor_entries`, its only partition. The store
 * itself writes to the partition, and logs these writes without a trigger. Only
 * the owner has rights on the partition, so nobody else can bypass the log.
 *
 * The tables have no `CHECK`, because PostgreSQL parses each one again in every
 * statement, which takes longer than the write itself. The triggers check the
 * rows of plain SQL.
 */
export const TABLES = `
CREATE TABLE zestor_kv (
  kind ${NAME},
  key ${NAME},
  value bytea NOT NULL,
  version bigint NOT NULL DEFAULT 1,
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  revision bigint NOT NULL DEFAULT 0,
  expires_at timestamptz(3),
  PRIMARY KEY (kind, key)
) PARTITION BY LIST (kind);
ALTER TABLE zestor_kv ALTER value SET STORAGE EXTERNAL;
CREATE TABLE zestor_entries PARTITION OF zestor_kv DEFAULT WITH (fillfactor = 80);
ALTER TABLE zestor_entries ALTER value SET STORAGE EXTERNAL;
CREATE INDEX zestor_expiry ON zestor_kv (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE zestor_changes (
  revision bigint PRIMARY KEY,
  mark bigint NOT NULL,
  kind ${NAME},
  key ${NAME},
  type text NOT NULL,
  version bigint NOT NULL,
  value bytea,
  previous bytea,
  expires_at timestamptz(3),
  time timestamptz(3) NOT NULL,
  previous_revision bigint,
  previous_time timestamptz(3),
  previous_expires_at timestamptz(3)
);
ALTER TABLE zestor_changes
  ALTER value SET STORAGE EXTERNAL, ALTER previous SET STORAGE EXTERNAL;
CREATE INDEX zestor_changes_of_key ON zestor_changes (kind, key, revision);
CREATE TABLE zestor_meta (
  name text COLLATE "C" PRIMARY KEY,
  value text NOT NULL
);
CREATE TABLE zestor_batches (
  writer uuid NOT NULL,
  batch bigint NOT NULL,
  answer text NOT NULL,
  time timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (writer, batch)
);
INSERT INTO zestor_meta VALUES
  ('format', '${FORMAT}'), ('pruned', '0'), ('mark', (${MARK})::text);
`;
