/**
 * What a file says of its change log, in `zestor_meta`: the revision at which
 * the log begins, and that revision's mark. The changes that format 1 logged
 * have no marks of their own, and count as having that one.
 *
 * @module
 */
import { drawMark, MARKS } from "../../engine/cursor.ts";
import type { Meta } from "../../values/codecs/remembered_codecs.ts";

/** The name of the mark. */
export const MARK = "mark";

/** The name of the revision. */
export const BEGIN = "begin";

/** What a log has that begins at a revision, or that goes on there in a newer format. */
export function newLogMeta(revision: number): [name: string, value: string][] {
  return [[MARK, String(drawMark())], [BEGIN, String(revision)]];
}

/** The revision at which the log begins; `undefined` if the file does not say all of that. */
export function logBegin(meta: Meta): number | undefined {
  const isKnown = [MARK, BEGIN].every((name) =>
    /^\d{1,16}$/.test(meta.get(name) ?? "")
  );
  const [mark, begin] = [Number(meta.get(MARK)), Number(meta.get(BEGIN))];
  return isKnown && mark < MARKS && Number.isSafeInteger(begin)
    ? begin
    : undefined;
}
