/// <reference lib="dom" />
/**
 * The feed: the changes of all kinds, from the newest to the oldest, with a
 * filter and a pause. It keeps a limited number of changes, and shows where it
 * leaves some out.
 *
 * @module
 */
import type {
  ApiError,
  ChangesPage,
  LiveChange,
  PastChange,
  ShownValue,
} from "../../api.ts";
import { Cell } from "./cell.ts";
import { errorOf, read } from "./client.ts";
import { gaps, hold, onChanges } from "./live.ts";

/** How many changes are kept at most, unless the user asked for older ones. */
export const FEED_SIZE = 300;

/** How many changes are kept at most if the user asked for older ones. */
export const LONGEST_FEED = 2_000;

const PAGE_SIZE = 100;

/** Which changes. */
export interface FeedFilter {
  readonly kind?: string;
  /** Only keys that contain this. */
  readonly text?: string;
  /** Only these types. Absent: all types. */
  readonly types?: readonly string[];
}

/** A line of the feed. */
export interface FeedChange {
  readonly revision: number;
  readonly kind: string;
  readonly key: string;
  readonly type: LiveChange["type"];
  readonly expired?: true;
  readonly version: number;
  readonly size: number;
  readonly preview?: ShownValue;
  /** Absent if the log does not have the time. */
  readonly time?: string;
  /** Whether it came while the page was open. */
  readonly isLive: boolean;
}

/** A place where changes are missing. */
export interface FeedGap {
  /** The gap is before this revision. */
  readonly revision: number;
  readonly message: string;
}

/** The state of the feed. */
export interface FeedState {
  readonly items: readonly (FeedChange | FeedGap)[];
  /** `before` of the next older page; absent at the end of the log. */
  readonly next?: number;
  readonly isPaused: boolean;
  /** The changes that came since the pause. */
  readonly waiting: number;
  readonly isLoading: boolean;
  readonly error?: ApiError;
}

/** Whether a line is a gap. */
export function isGap(item: FeedChange | FeedGap): item is FeedGap {
  return "message" in item;
}

/** The feed of changes that match a filter. */
export class Feed {
  readonly state: Cell<FeedState> = new Cell<FeedState>({
    items: [],
    isPaused: false,
    waiting: 0,
    isLoading: true,
  });
  readonly #filter: FeedFilter;
  readonly #stops: (() => void)[];
  readonly #ending = new AbortController();
  /** The newest first. */
  #waiting: (FeedChange | FeedGap)[] = [];

  constructor(filter: FeedFilter) {
    this.#filter = filter;
    this.#stops = [
      onChanges((changes) => this.#add(this.#live(changes))),
      gaps.subscribe(() =>
        this.#add([{
          revision: Infinity,
          message:
            "The connection was lost here. Changes before this line may be missing.",
        }])
      ),
    ];
    this.#begin();
  }

  /** Holds new changes back. */
  pause(): void {
    this.state.value = { ...this.state.value, isPaused: true };
  }

  /** Shows the changes that were held back, and goes on. */
  resume(): void {
    const { waiting } = this.state.value;
    const added = this.#waiting;
    this.#waiting = [];
    const lost = waiting - added.length;
    if (lost > 0) {
      added.push({
        revision: added.at(-1)?.revision ?? 0,
        message:
          `${lost.toLocaleString("en")} more changes came in the pause. ` +
          "The feed keeps the newest only; the history of a key has them all.",
      });
    }
    this.state.value = { ...this.state.value, isPaused: false, waiting: 0 };
    this.#add(added);
  }

  /** Reads older changes, and pauses the feed so that they stay. */
  async loadOlder(): Promise<void> {
    const { next, items } = this.state.value;
    if (next === undefined || items.length >= LONGEST_FEED) return;
    this.pause();
    const page = await this.#read(next);
    if (page === undefined) return;
    this.state.value = {
      ...this.state.value,
      items: [...this.state.value.items, ...this.#past(page.changes)],
      next: page.next,
    };
  }

  /** Stops following the store. */
  close(): void {
    this.#ending.abort();
    for (const stop of this.#stops) stop();
  }

  async #begin(): Promise<void> {
    const held = hold(this.#filter.kind);
    const page = await this.#read();
    held.release();
    if (page === undefined) return;
    const known = page.changes[0]?.revision ?? 0;
    const later = held.changes.filter(({ revision }) => revision > known);
    this.state.value = {
      ...this.state.value,
      items: [...this.#live(later), ...this.#past(page.changes)],
      next: page.next,
    };
  }

  async #read(before?: number): Promise<ChangesPage | undefined> {
    const { signal } = this.#ending;
    const query = { kind: this.#filter.kind, before, limit: PAGE_SIZE };
    this.state.value = { ...this.state.value, isLoading: true };
    try {
      const page = await read<ChangesPage>("api/changes", query, signal);
      this.state.value = {
        ...this.state.value,
        isLoading: false,
        error: undefined,
      };
      return page;
    } catch (error) {
      if (signal.aborted) return;
      this.state.value = {
        ...this.state.value,
        isLoading: false,
        error: errorOf(error),
      };
    }
  }

  #add(added: (FeedChange | FeedGap)[]): void {
    const state = this.state.value;
    if (added.length === 0) return;
    if (state.isPaused) {
      // One place is reserved for a line about the missing changes.
      this.#waiting = [...added, ...this.#waiting].slice(0, FEED_SIZE - 1);
      const waiting = state.waiting + added.length;
      this.state.value = { ...state, waiting };
      return;
    }
    const items = [...added, ...state.items].slice(0, FEED_SIZE);
    const isCut = added.length + state.items.length > FEED_SIZE;
    const next = isCut ? items.at(-1)!.revision : state.next;
    this.state.value = { ...state, items, next };
  }

  #live(changes: readonly LiveChange[]): FeedChange[] {
    return changes.filter((change) => this.#matches(change)).toReversed()
      .map(({ seenAt, ...change }) => ({
        ...change,
        time: seenAt,
        isLive: true,
      }));
  }

  #past(changes: readonly PastChange[]): FeedChange[] {
    return changes.filter((change) => this.#matches(change))
      .map(({ changedAt, after, before, ...change }) => ({
        ...change,
        preview: after ?? before,
        time: changedAt,
        isLive: false,
      }));
  }

  #matches(change: LiveChange | PastChange): boolean {
    const { kind, text, types } = this.#filter;
    return (kind === undefined || change.kind === kind) &&
      (text === undefined || change.key.includes(text)) &&
      (types === undefined || types.includes(change.type));
  }
}
