/**
 * The rows of `zestor_meta` about the change log: the revision at which the log
 * begins, and that revision's mark. The changes that format 1 logged have no
 * marks of their own; they count as having this one.
 *
 * @module
 */
import { drawMark, MARKS } from "../../engine/cursor.ts";
import type { Meta } from "../../values/codecs/remembered_codecs.ts";

/** The name of the mark. */
export const MARK = "mark";

/** The name of the revision. */
export const BEGIN = "begin";

/** The rows for a log that begins at a revision, or that continues there in a newer format. */
export function newLogMeta(revision: number): [name: string, value: string][] {
  return [[MARK, String(drawMark())], [BEGIN, String(revision)]];
}

/** The revision at which the log begins; `undefined` if the rows are incomplete. */
export function logBegin(meta: Meta): number | undefined {
  const isKnown = [MARK, BEGIN].every((name) =>
    /^\d{1,16}$/.test(meta.get(name) ?? "")
  );
  const [mark, begin] = [Number(meta.get(MARK)), Number(meta.get(BEGIN))];
  return isKnown && mark < MARKS && Number.isSafeInteger(begin)
    ? begin
    : undefined;
}
