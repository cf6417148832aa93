/**
 * Values that parts of the page show. When a value changes, these parts are
 * drawn again.
 *
 * @module
 */
import { useLayoutEffect, useState } from "preact/hooks";

/** A value that reports its changes. */
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
  // A layout effect, because an event in between would see an old value.
  useLayoutEffect(() => {
    const draw = () => setCount((count) => count + 1);
    // Another component may have changed it during the drawing.
    if (!Object.is(drawn, cell.value)) draw();
    return cell.subscribe(draw);
  }, [cell]);
  return drawn;
}
