/**
 * The names of a store's codecs, as the table `zestor_meta` keeps them.
 *
 * @module
 */
import type { KindCodecs } from "./kind_codecs.ts";
import { compareKeys } from "../../keys/key_order.ts";

const CODEC = "codec";
const CODEC_OF_KIND = "codec/";

/** The rows of `zestor_meta`, by name. */
export type Meta = ReadonlyMap<string, string>;

/** The names of a store's codecs, as rows of `zestor_meta`. */
export function codecNames(codecs: KindCodecs): Map<string, string> {
  const names = new Map([[CODEC, codecs.fallbackName]]);
  for (const kind of codecs.namedKinds) {
    names.set(CODEC_OF_KIND + kind, codecs.nameOf(kind));
  }
  return names;
}

/** The names of the codecs that a store has remembered. */
export interface RememberedCodecs {
  /** The codec of all kinds without a codec of their own. */
  fallback: string;
  /** The kinds with a codec of their own, in order. */
  named: { kind: string; codec: string }[];
}

/** The remembered names, if the store has any. */
export function rememberedCodecs(meta: Meta): RememberedCodecs | undefined {
  const fallback = meta.get(CODEC);
  if (fallback === undefined) return undefined;
  const named = [...meta]
    .filter(([name]) => name.startsWith(CODEC_OF_KIND))
    .map(([name, codec]) => ({
      kind: name.slice(CODEC_OF_KIND.length),
      codec,
    }));
  return {
    fallback,
    named: named.sort((a, b) => compareKeys(a.kind, b.kind)),
  };
}

/** Whether the store has remembered its codecs. */
export function remembersCodecs(meta: Meta): boolean {
  return meta.has(CODEC);
}

/**
 * The difference between the remembered codecs and the given ones, for all
 * kinds that have a name remembered, and for `kinds`.
 */
export function codecConflict(
  meta: Meta,
  codecs: KindCodecs,
  kinds: Iterable<string>,
): string | undefined {
  const fallback = meta.get(CODEC)!;
  if (fallback !== codecs.fallbackName) {
    return describe("", fallback, codecs.fallbackName);
  }
  const named = new Set(kinds);
  for (const name of meta.keys()) {
    if (name.startsWith(CODEC_OF_KIND)) {
      named.add(name.slice(CODEC_OF_KIND.length));
    }
  }
  for (const kind of named) {
    const recorded = meta.get(CODEC_OF_KIND + kind) ?? fallback;
    const given = codecs.nameOf(kind);
    if (recorded !== given) {
      return describe(` in kind ${JSON.stringify(kind)}`, recorded, given);
    }
  }
  return undefined;
}

function describe(where: string, recorded: string, given: string): string {
  return `the store's values${where} are encoded with the codec "${recorded}", received "${given}"; give that codec`;
}
