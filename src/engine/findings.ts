/**
 * The findings of a verification. It lists the first ones of each part, and
 * counts the others.
 *
 * @module
 */
import type { VerifyFinding, VerifyPart } from "../contract/verify.ts";

/** How many findings of a part are listed. */
export const MOST_FINDINGS = 100;

/** The findings of one part. */
export class Findings {
  readonly #part: VerifyPart;
  readonly #first: VerifyFinding[] = [];
  #others = 0;

  /** Takes the name of the part. */
  constructor(part: VerifyPart) {
    this.#part = part;
  }

  /** Adds a finding. */
  add(finding: VerifyFinding): void {
    if (this.#first.length < MOST_FINDINGS) this.#first.push(finding);
    else this.#others++;
  }

  /** Adds to the number of findings that are not listed. */
  addOthers(count: number): void {
    this.#others += count;
  }

  /** The listed findings, and one more with the number of others. */
  list(): VerifyFinding[] {
    if (this.#others === 0) return this.#first;
    const message =
      `There are ${this.#others} more findings of this part; repair these, then verify again`;
    return [...this.#first, { part: this.#part, message }];
  }
}
