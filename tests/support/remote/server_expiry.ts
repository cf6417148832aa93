/**
 * Removes what has expired on the server: at each request, and by a timer while
 * a client listens, so that it hears of it.
 *
 * @module
 */

/** The longest time between two looks, in ms: the clock may jump. */
const LOOK_MS = 1_000;

/** What the timer works on. */
export interface ServerExpiryWork {
  /** When the next entry expires, in ms since 1970. */
  next(): number | undefined;
  /** Removes everything that has expired, and tells of it. */
  remove(): void;
}

/** The timer of a server. It does not keep the process running. */
export class ServerExpiry {
  readonly #work: ServerExpiryWork;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the entry expires that the timer is for. */
  #planned: number | undefined;
  #isHeard = false;

  /** Takes what is to be done. */
  constructor(work: ServerExpiryWork) {
    this.#work = work;
  }

  /** Whether somebody listens. If nobody does, there is no timer. */
  set isHeard(isHeard: boolean) {
    this.#isHeard = isHeard;
    this.plan();
  }

  /** Removes what has expired by now. */
  look(): void {
    const next = this.#work.next();
    if (next !== undefined && next <= Date.now()) this.#work.remove();
    this.plan();
  }

  /** Plans the next look, if something expires. */
  plan(): void {
    const next = this.#isHeard ? this.#work.next() : undefined;
    if (this.#timer !== undefined && next === this.#planned) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#planned = next;
    if (next === undefined) return;
    const pause = Math.max(0, Math.min(next - Date.now(), LOOK_MS));
    const timer = setTimeout(() => {
      this.#timer = undefined;
      this.look();
    }, pause);
    Deno.unrefTimer(timer);
    this.#timer = timer;
  }
}
