/**
 * The options that every store takes.
 *
 * @module
 */
import { type CodecOption, KindCodecs } from "../values/codecs/kind_codecs.ts";
import type { AnyKinds, KindOf, OperationOptions } from "../contract/mod.ts";
import {
  boolean,
  func,
  integerFrom,
  type OptionsRead,
  type OptionsSpec,
  signal,
} from "../base/options.ts";
import { KindSchemas } from "../values/schemas/kind_schemas.ts";
import type { SchemasFor } from "../values/schemas/schema.ts";
import { type Equals, Values } from "../values/values.ts";

/**
 * Options of every store.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface CommonOptions<Kinds extends object = AnyKinds>
  extends OperationOptions {
  /**
   * How values are encoded: one codec for every kind, or one for each kind,
   * where kinds that are not named use JSON. A file remembers their names.
   * @default {json}
   */
  codec?: CodecOption<Kinds>;
  /**
   * What checks the values of each kind: a value that its schema refuses is
   * never written. What is stored is what the schema makes of the value.
   * @default {none}
   */
  schemas?: SchemasFor<Kinds>;
  /**
   * Whether what is read is checked, too, where others write who do not check:
   * values that are read, streamed or watched, but not what `update` starts
   * from and `delete` gives. A schema that makes something else of a value has
   * to take that as well.
   * @default {false}
   */
  validateReads?: boolean;
  /**
   * Whether a value counts as the one before: if so, writing it is no change.
   * It runs inside the transaction, and it is a `TypeError` unless it returns
   * a boolean. Without it, the same bytes count as the same value, and the one
   * before is not decoded.
   */
  equals?: <Kind extends KindOf<Kinds>>(
    kind: Kind,
    previous: Kinds[Kind],
    next: Kinds[Kind],
  ) => boolean;
  /**
   * How many changes the change log keeps, at least 1, for watches to resume
   * from, and for reads of the past. Each costs the size of its value and of the
   * one before.
   * @default {10_000}
   */
  history?: number;
}

/** How those options are read. */
export const COMMON = {
  codec: (_action, _name, codec) => new KindCodecs(codec),
  schemas: (_action, _name, schemas) => new KindSchemas(schemas),
  validateReads: boolean,
  equals: func<Equals>(),
  history: integerFrom(1),
  signal,
} satisfies OptionsSpec<CommonOptions>;

/** What the options come to. */
export interface CommonSettings {
  readonly codecs: KindCodecs;
  readonly values: Values;
  readonly history: number;
}

/** What the options that every store takes come to. */
export function commonSettingsOf(
  {
    codec: codecs = new KindCodecs(),
    schemas = new KindSchemas(),
    validateReads = false,
    equals,
    history = 10_000,
  }: OptionsRead<typeof COMMON>,
): CommonSettings {
  return {
    codecs,
    values: new Values({ codecs, schemas, validateReads, equals }),
    history,
  };
}
