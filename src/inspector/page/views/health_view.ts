/**
 * The health of the store: the facts about it, and the result of a check.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type {
  ApiError,
  Fact,
  Finding,
  InfoAnswer,
  Session,
  VerifyAnswer,
} from "../../api.ts";
import { useCell } from "../model/cell.ts";
import { ask, errorOf, read } from "../model/client.ts";
import { epoch } from "../model/live.ts";
import { entryRoute, hrefOf } from "../model/route.ts";
import { session } from "../model/session.ts";
import { Problem } from "../parts/problem.ts";
import {
  counted,
  formatNumber,
  formatSize,
  formatTime,
} from "../text/format.ts";

const LEVELS = { good: "Good", info: "Note", warning: "Warning" } as const;

/** The health page. */
export function HealthView(): VNode {
  const [info, setInfo] = useState<InfoAnswer>();
  const [error, setError] = useState<ApiError>();
  const load = async () => {
    try {
      setInfo(await read<InfoAnswer>("api/info"));
      setError(undefined);
    } catch (thrown) {
      setError(errorOf(thrown));
    }
  };
  useEffect(() => {
    load();
    return epoch.subscribe(load);
  }, []);
  return html`
    <section class="health" aria-labelledby="health-title">
      <div class="toolbar">
        <h2 id="health-title" class="view-title" tabindex="-1">Health</h2>
        <span class="spring"></span>
        <button type="button" class="button" onClick=${load}>Read again</button>
      </div>
      <div class="health-body">
        ${error && html`<${Problem} message=${error.message} />`}
        ${info === undefined
          ? error === undefined && html`<p class="quiet">Reading…</p>`
          : html`<${Info} info=${info} />`}
        <${Check} />
      </div>
    </section>
  ` as VNode;
}

function Info({ info }: { info: InfoAnswer }): VNode {
  const store = useCell(session);
  const { facts, notes, log, kinds } = info;
  const entries = kinds.reduce((sum, { count }) => sum + count, 0);
  return html`
    <ul class="notes">
      ${notes.map(({ level, text }) =>
        html`<li class=${`note note-${level}`}><strong>${
          LEVELS[level]
        }:</strong> ${text}</li>`
      )}
    </ul>
    <h3 class="subtitle">Facts</h3>
    <dl class="facts">
      ${facts.map((fact) => pair(fact.title, valueOf(fact)))}
      ${store && pair("Inspector", `version ${store.version}`)}
      ${store && pair("Writing here", writingOf(store))}
      ${pair("Entries", formatNumber(entries))}
      ${pair("Kinds", formatNumber(kinds.length))}
      ${log && pair(
        "Change log",
        `${counted(log.count, "change", "changes")}, revisions ${
          formatNumber(log.oldest)
        } to ${formatNumber(log.newest)}`,
      )}
    </dl>
  ` as VNode;
}

function writingOf({ canWrite, readOnlyReason }: Session): string {
  return canWrite ? "allowed" : readOnlyReason ?? "not allowed";
}

function pair(title: string, value: string): VNode {
  return html`
    <div class="fact">
      <dt>${title}</dt>
      <dd>${value}</dd>
    </div>
  ` as VNode;
}

function valueOf({ value, unit }: Fact): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  if (unit !== "bytes") return formatNumber(value);
  return value < 1000
    ? `${value} bytes`
    : `${formatSize(value)} (${formatNumber(value)} bytes)`;
}

function Check(): VNode {
  const [state, setState] = useState<{
    isRunning?: boolean;
    answer?: VerifyAnswer;
    error?: ApiError;
  }>({});
  const run = async () => {
    setState({ isRunning: true });
    try {
      setState({ answer: await ask<VerifyAnswer>("api/verify", {}) });
    } catch (thrown) {
      setState({ error: errorOf(thrown) });
    }
  };
  const { isRunning, answer, error } = state;
  return html`
    <h3 class="subtitle">Check</h3>
    <p class="quiet">
      The check reads the whole store and looks for damage. It changes nothing.
    </p>
    <p>
      <button type="button" class="button button-main" disabled=${isRunning}
        onClick=${run}>${isRunning ? "Checking…" : "Check the store"}</button>
    </p>
    <div role="status">
      ${answer && html`<${Findings} answer=${answer} />`}
    </div>
    ${error && html`<${Problem} message=${error.message} />`}
  ` as VNode;
}

function Findings({ answer }: { answer: VerifyAnswer }): VNode {
  const { findings, startedAt, took } = answer;
  const when = `Checked at ${formatTime(startedAt)} in ${
    formatNumber(Math.round(took))
  } ms.`;
  if (findings.length === 0) {
    return html`
      <p class="note note-good"><strong>Good:</strong>${` Nothing is wrong. ${when}`}</p>
    ` as VNode;
  }
  return html`
    <p class="note note-warning">
      <strong>Warning:</strong>${` ${
        counted(findings.length, "finding", "findings")
      }. ${when}`}
    </p>
    <table class="table findings">
      <caption class="unseen">What the check found</caption>
      <thead>
        <tr>
          <th scope="col">Part</th>
          <th scope="col">Finding</th>
          <th scope="col">Where</th>
        </tr>
      </thead>
      <tbody>${findings.map(Row)}</tbody>
    </table>
  ` as VNode;
}

function Row({ part, message, kind, key, revision }: Finding): VNode {
  return html`
    <tr>
      <td>${part}</td>
      <td class="whole">${message}</td>
      <td>
        ${kind !== undefined && key !== undefined && html`
          <a href=${hrefOf(
            entryRoute(kind, key),
          )}>${`${kind} / ${key}`}</a>${" "}
        `}
        ${revision !== undefined && `revision ${formatNumber(revision)}`}
      </td>
    </tr>
  ` as VNode;
}
