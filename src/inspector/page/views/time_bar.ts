/// <reference lib="dom" />
/**
 * The time slider: it shows the store at a past revision that the log reaches.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { LogAnswer } from "../../api.ts";
import { useCell } from "../model/cell.ts";
import { newest } from "../model/live.ts";
import { momentAt, reach, readReach } from "../model/reach.ts";
import { go, replace, route } from "../model/route.ts";
import { useShortcut } from "../parts/shortcuts.ts";
import { formatNumber, formatShortTime } from "../text/format.ts";

/** The pause after the last move of the slider, in ms. */
const PAUSE = 150;

/** The time slider. */
export function TimeBar({ at }: { at?: number }): VNode {
  const { log, message } = useCell(reach);
  if (log === undefined) {
    return html`
      <div class="time-bar"><span class="quiet">${message ?? ""}</span></div>
    ` as VNode;
  }
  return html`<${Slider} log=${log} at=${at} />` as VNode;
}

function Slider({ log, at }: { log: LogAnswer; at?: number }): VNode {
  const head = useCell(newest);
  const now = Math.max(head, log.newest?.revision ?? log.first);
  // While the past is shown, the end of the slider does not move.
  const last = useRef(now);
  if (at === undefined) last.current = now;
  const max = Math.max(last.current, at ?? 0);
  const [moved, setMoved] = useState<number>();
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);
  const shown = moved ?? at ?? max;
  const isPast = (moved ?? at) !== undefined;

  const show = (revision: number | undefined) => {
    clearTimeout(timer.current);
    timer.current = undefined;
    setMoved(undefined);
    travel(revision);
  };
  const move = (event: Event) => {
    const revision = Number((event.target as HTMLInputElement).value);
    setMoved(revision);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => show(revision), PAUSE);
  };
  const step = (by: number) =>
    show(Math.min(Math.max(shown + by, log.first), max));
  useShortcut("earlier", () => step(-1));
  useShortcut("later", () => isPast && step(1));
  useShortcut("now", () => show(undefined));

  const label = labelOf(log, shown, isPast);
  return html`
    <div class=${isPast ? "time-bar is-past" : "time-bar"} role="group"
      aria-label="Time">
      <button type="button" class="button page-button"
        aria-label="One revision back ([)" title="One revision back ([)"
        disabled=${shown <= log.first} onClick=${() => step(-1)}>‹</button>
      <input class="slider" type="range" min=${log.first} max=${max} step="1"
        value=${shown} aria-label="Show the store as of a revision"
        aria-valuetext=${label} onPointerDown=${() => !isPast && readReach()}
        onInput=${move} />
      <button type="button" class="button page-button"
        aria-label="One revision forward (])" title="One revision forward (])"
        disabled=${!isPast || shown >= max} onClick=${() => step(1)}>›</button>
      <span class="time-label">${label}</span>
      <button type="button" class="button" disabled=${!isPast}
        title="Back to now (.)" onClick=${() => show(undefined)}>Now</button>
    </div>
  ` as VNode;
}

function labelOf(log: LogAnswer, revision: number, isPast: boolean): string {
  if (!isPast) return `Now, revision ${formatNumber(revision)}`;
  const time = momentAt(log, revision)?.changedAt;
  const when = time === undefined ? "" : `, about ${formatShortTime(time)}`;
  return `As of revision ${formatNumber(revision)}${when}`;
}

/** Shows another time. Steps within the past are one step for "back". */
function travel(at: number | undefined): void {
  const { tab } = route.value;
  const isWriting = tab === "edit" || tab === "new";
  const next = { ...route.value, at, tab: isWriting ? undefined : tab };
  if (route.value.at === undefined || at === undefined) go(next);
  else replace(next);
}
