/**
 * The tables of a store, as SQL. The schema's name comes before each of them by
 * the `search_path` of whoever runs it.
 *
 * @module
 */
import { MARKS } from "../../engine/cursor.ts";
import { LAST_NUMBER } from "../../engine/last_number.ts";

/** The newest format that this code knows. A change to a table makes a new one. */
export const FORMAT = 1;

/** 48 random bits, which tell a change from another history's change of the same revision. */
export const MARK = `floor(random() * ${MARKS})::bigint`;

const NAME = `text COLLATE "C" NOT NULL`;
const NUMBER = (name: string, least: number) =>
  `${name} bigint NOT NULL CHECK (${name} BETWEEN ${least} AND ${LAST_NUMBER})`;
// JavaScript has no date past these, and the last year is the contract's.
const TIME = (name: string) =>
  `${name} timestamptz(3) CHECK (${name} >= '0001-01-01Z' AND ${name} < '10000-01-01Z')`;

/**
 * What makes the tables. `"C"` is the order of UTF-8 bytes, which is the order
 * of keys. Values are not compressed: `EXTERNAL` lets a comparison read the
 * length first (https://www.postgresql.org/docs/current/storage-toast.html).
 */
export const TABLES = `
CREATE TABLE zestor_kv (
  kind ${NAME} CHECK (kind <> ''),
  key ${NAME} CHECK (key <> ''),
  value bytea NOT NULL,
  ${NUMBER("version", 1).replace(" CHECK", " DEFAULT 1 CHECK")},
  ${TIME("updated_at")} NOT NULL DEFAULT clock_timestamp(),
  revision bigint NOT NULL DEFAULT 0,
  ${TIME("expires_at")},
  PRIMARY KEY (kind, key)
);
ALTER TABLE zestor_kv ALTER value SET STORAGE EXTERNAL;
CREATE INDEX zestor_expiry ON zestor_kv (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE zestor_changes (
  ${NUMBER("revision", 1)} PRIMARY KEY,
  mark bigint NOT NULL,
  kind ${NAME},
  key ${NAME},
  type text NOT NULL CHECK (type IN ('create', 'update', 'delete', 'expire')),
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
