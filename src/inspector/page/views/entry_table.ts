/// <reference lib="dom" />
/**
 * The table of entries. Rows that change are marked for a moment.
 *
 * @module
 */
import { html } from "htm/preact";
import { Component, type VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Row } from "../model/entries.ts";
import { entryRoute, go, hrefOf } from "../model/route.ts";
import { Preview } from "../parts/shown_value.ts";
import { useShortcut } from "../parts/shortcuts.ts";
import { formatNumber, formatShortTime, formatSize } from "../text/format.ts";

const SIGNS = { create: "+", update: "•", delete: "−" } as const;
const MARKS = {
  create: "just created",
  update: "just changed",
  delete: "deleted",
} as const;

/** A page of entries. */
export function EntryTable({ rows, kind, selected, place }: {
  rows: readonly Row[];
  kind: string;
  selected?: string;
  /** Distinguishes pages. */
  place: string;
}): VNode {
  const area = useRef<HTMLDivElement>(null);
  useEffect(() => {
    area.current!.scrollTop = 0;
  }, [kind, place]);
  useFirstRows(rows.length > 0);
  useShortcut("down", () => step(area.current!, 1));
  useShortcut("up", () => step(area.current!, -1));
  return html`
    <div class="table-scroll" ref=${area}>
      <table class="table">
        <caption class="unseen">${`Entries of the kind ${kind}`}</caption>
        <thead>
          <tr>
            <th scope="col" class="c-key">Key</th>
            <th scope="col" class="c-value">Value</th>
            <th scope="col" class="c-size number">Size</th>
            <th scope="col" class="c-version number">Version</th>
            <th scope="col" class="c-revision number">Revision</th>
            <th scope="col" class="c-time">Updated</th>
            <th scope="col" class="c-time c-expires">Expires</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((row) =>
            html`
              <${TableRow} key=${row.key} row=${row} kind=${kind}
                isSelected=${row.key === selected} />
            `
          )}
        </tbody>
      </table>
    </div>
  ` as VNode;
}

let hasRows = false;

/** Notes in the browser's timeline when the first rows of the page are drawn. */
function useFirstRows(areThere: boolean): void {
  useEffect(() => {
    if (!areThere || hasRows) return;
    hasRows = true;
    performance.mark("first-rows");
  }, [areThere]);
}

/** Moves the focus to another row. */
function step(area: HTMLElement, by: number): void {
  const links = [...area.querySelectorAll<HTMLAnchorElement>("tbody a")];
  const current = links.findIndex((link) => link === document.activeElement);
  const chosen = links.findIndex((link) => link.ariaCurrent === "true");
  const from = current >= 0 ? current : chosen;
  const next = Math.min(Math.max(from + by, 0), links.length - 1);
  links[next]?.focus();
}

interface RowProps {
  row: Row;
  kind: string;
  isSelected: boolean;
}

/** A row is drawn again only if it has changed. */
class TableRow extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return next.row !== this.props.row || next.kind !== this.props.kind ||
      next.isSelected !== this.props.isSelected;
  }

  override render({ row, kind, isSelected }: RowProps): VNode {
    const { key, mark, revision } = row;
    // Two names in turn, so that each change restarts the animation.
    const flash = mark && `flash-${mark}-${revision % 2}`;
    const open = (event: MouseEvent) => {
      const isOnLink = (event.target as Element).closest("a") !== null;
      const hasSelection = getSelection()?.isCollapsed === false;
      if (!isOnLink && !hasSelection) go(entryRoute(kind, key));
    };
    return html`
      <tr class=${flash} data-mark=${mark}
        onClick=${open}>
        <td class="c-key">
          <span class="sign" aria-hidden="true">${mark && SIGNS[mark]}</span>
          <a href=${hrefOf(entryRoute(kind, key))} title=${key}
            aria-current=${isSelected ? "true" : undefined}>${key}</a>
          ${mark && html`<span class="unseen">${` (${MARKS[mark]})`}</span>`}
        </td>
        <td class="c-value">
          <${Preview} value=${row.preview} />
        </td>
        <td class="c-size number">${formatSize(row.size)}</td>
        <td class="c-version number">${formatNumber(row.version)}</td>
        <td class="c-revision number">${formatNumber(revision)}</td>
        <td class="c-time">${time(row.updatedAt)}</td>
        <td class="c-time c-expires">${row.expiresAt &&
          time(row.expiresAt)}</td>
      </tr>
    ` as VNode;
  }
}

function time(iso: string): VNode {
  return html`
    <time datetime=${iso} title=${iso}>${formatShortTime(
      iso,
    )}</time>
  ` as VNode;
}
