/**
 * The common options of all stores.
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
 * The common options of all stores.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface CommonOptions<Kinds extends object = AnyKinds>
  extends OperationOptions {
  /**
   * The codecs that encode values: one codec for all kinds, or an object with a
   * codec for some kinds; the other kinds use JSON. A file remembers their
   * names.
   * @default {json}
   */
  codec?: CodecOption<Kinds>;
  /**
   * The schemas that check the values of kinds. A value that its schema refuses
   * is never written. The store keeps the schema's output.
   * @default {none}
   */
  schemas?: SchemasFor<Kinds>;
  /**
   * Whether reads check values, too. Use it if other programs write to the
   * storage without checks. It applies to values that are read, streamed or
   * watched, but not to the value that `update` passes to its function, or that
   * `delete` returns. A schema must then accept its own output.
   * @default {false}
   */
  validateReads?: boolean;
  /**
   * Whether a new value counts as equal to the previous one. If it does, a
   * write of it changes nothing. The function runs inside the transaction. It
   * must return a boolean, else the write fails with a `TypeError`. Without it,
   * values with the same bytes are equal, and the previous value is not
   * decoded.
   */
  equals?: <Kind extends KindOf<Kinds>>(
    kind: Kind,
    previous: Kinds[Kind],
    next: Kinds[Kind],
  ) => boolean;
  /**
   * How many changes the change log keeps, at least 1. Watches resume from the
   * log, and reads of the past use it. A change takes the space of its value
   * and of the previous one.
   * @default {10_000}
   */
  history?: number;
}

/** The readers of these options. */
export const COMMON = {
  codec: (_action, _name, codec) => new KindCodecs(codec),
  schemas: (_action, _name, schemas) => new KindSchemas(schemas),
  validateReads: boolean,
  equals: func<Equals>(),
  history: integerFrom(1),
  signal,
} satisfies OptionsSpec<CommonOptions>;

/** The settings that follow from these options. */
export interface CommonSettings {
  readonly codecs: KindCodecs;
  readonly values: Values;
  readonly history: number;
}

/** Reads these options. */
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
