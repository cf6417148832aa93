/**
 * The options of `mirror`, and of its `changes`.
 *
 * @module
 */
import {
  boolean,
  func,
  type OptionsSpec,
  readOptions,
  signal,
} from "../../base/options.ts";
import type { UnreadableOptions } from "../../contract/entry.ts";
import type {
  MirrorChangesOptions,
  MirrorOptions,
} from "../../contract/mirror.ts";
import type { KeyRange } from "../../keys/key_range.ts";
import { assertName } from "../../keys/names.ts";
import { keyText, onUnreadable } from "../options.ts";
import { keyName, watchedKeys } from "../watch_options.ts";

const MIRROR = {
  key: keyName,
  prefix: keyText,
  where: func<NonNullable<MirrorOptions["where"]>>(),
  sortBy: func<NonNullable<MirrorOptions["sortBy"]>>(),
  reverse: boolean,
  onUnreadable,
  persistent: boolean,
  signal,
} satisfies OptionsSpec<MirrorOptions>;

/** The settings of a mirror. */
export interface MirrorSettings extends UnreadableOptions {
  readonly kind: string;
  readonly keys: KeyRange;
  readonly where: MirrorOptions["where"];
  readonly sortBy: MirrorOptions["sortBy"];
  readonly reverse: boolean;
  readonly persistent: boolean;
  readonly signal?: AbortSignal;
}

/** Reads the options of a mirror. Throws if they are invalid. */
export function mirrorSettingsOf(
  kind: unknown,
  // A function of one kind's values is not a function of all values, so `never`
  // accepts any.
  options: MirrorOptions<never> | undefined,
): MirrorSettings {
  assertName("kind", kind);
  const given = readOptions("mirror", options, MIRROR);
  return {
    kind,
    keys: watchedKeys("mirror", given),
    where: given.where,
    sortBy: given.sortBy,
    reverse: given.reverse ?? false,
    persistent: given.persistent ?? true,
    onUnreadable: given.onUnreadable,
    signal: given.signal,
  };
}

/** The options of a mirror's `changes`. */
export const CHANGES = {
  initial: boolean,
  signal,
} satisfies OptionsSpec<MirrorChangesOptions>;
