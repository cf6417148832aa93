/**
 * A value that parts of the page show. If it changes, they are drawn again.
 *
 * @module
 */
import { useLayoutEffect, useState } from "preact/hooks";

/** A value that tells when it changes. */
export class Cell<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  /** Calls the listener at each change until the returned function is called. */
  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The value of a cell; the component is drawn again when it changes. */
export function useCell<T>(cell: Cell<T>): T {
  const [, setCount] = useState(0);
  const drawn = cell.value;
  // Not a moment later: an event in between would see what is no more.
  useLayoutEffect(() => {
    const draw = () => setCount((count) => count + 1);
    // Another component may have changed it while all were drawn.
    if (!Object.is(drawn, cell.value)) draw();
    return cell.subscribe(draw);
  }, [cell]);
  return drawn;
}
