/**
 * A server that watches wait for: its log is a list, and a test may hold back its
 * answers, or take it away.
 *
 * @module
 */
import type { News, NewsSource } from "../../../src/remote/news.ts";

/** A server. */
export class NewsServer implements NewsSource {
  /** How many times somebody looked. */
  looks = 0;
  /** The interval that it tells, in ms. */
  sweep = 1_000;
  /** Whether each look fails. */
  isAway = false;
  /** What `onWaiting` heard. */
  readonly waiting: boolean[] = [];
  readonly bookmarkInterval = 10;
  #log: { kind: string; mark: number }[] = [];
  #marks = 0;
  #held: PromiseWithResolvers<void> | undefined;

  /** The newest revision. */
  get head(): number {
    return this.#log.length;
  }

  /** The mark of the newest change; 0 if there is none. */
  get mark(): number {
    return this.#log.at(-1)?.mark ?? 0;
  }

  /** Makes changes of a kind. */
  change(kind: string, count = 1): void {
    for (let i = 0; i < count; i++) {
      this.#log.push({ kind, mark: ++this.#marks });
    }
  }

  /** Puts the log back to a revision. */
  putBack(revision: number): void {
    this.#log = this.#log.slice(0, revision);
  }

  /** Holds back the answers to the looks that begin from now on. */
  hold(): void {
    this.#held = Promise.withResolvers();
  }

  /** Gives the answers. */
  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  async look(revisions: readonly [number, ...number[]]): Promise<News> {
    this.looks++;
    const { isAway } = this;
    const news = this.#news(revisions);
    await this.#held?.promise;
    if (isAway) throw new Error("The server is away");
    return news;
  }

  #news(revisions: readonly [number, ...number[]]): News {
    const log = [{ kind: "", mark: 0 }, ...this.#log];
    return {
      head: this.head,
      mark: this.mark,
      marks: new Map(
        revisions.filter((it) => it in log).map((it) => [it, log[it].mark]),
      ),
      kinds: new Set(log.slice(revisions[0] + 1).map(({ kind }) => kind)),
    };
  }

  interval(): number {
    return this.sweep;
  }

  onWaiting(isWaiting: boolean): void {
    this.waiting.push(isWaiting);
  }
}
