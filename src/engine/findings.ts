/**
 * What a verification finds: of many findings it tells the first, and counts the
 * others.
 *
 * @module
 */
import type { VerifyFinding, VerifyPart } from "../contract/verify.ts";

/** How many findings of a part are told. */
export const MOST_FINDINGS = 100;

/** The findings of one part. */
export class Findings {
  readonly #part: VerifyPart;
  readonly #first: VerifyFinding[] = [];
  #others = 0;

  /** Takes the part. */
  constructor(part: VerifyPart) {
    this.#part = part;
  }

  /** Adds a finding. */
  add(finding: VerifyFinding): void {
    if (this.#first.length < MOST_FINDINGS) this.#first.push(finding);
    else this.#others++;
  }

  /** Counts findings that are not told. */
  addOthers(count: number): void {
    this.#others += count;
  }

  /** The findings, and how many others there are. */
  list(): VerifyFinding[] {
    if (this.#others === 0) return this.#first;
    const message =
      `There are ${this.#others} more findings of this part; mend these, then verify again`;
    return [...this.#first, { part: this.#part, message }];
  }
}
