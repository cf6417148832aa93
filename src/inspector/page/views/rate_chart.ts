/// <reference lib="dom" />
/**
 * The chart of changes a second.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useCell } from "../model/cell.ts";
import { theme } from "../model/preferences.ts";
import { lastMinute, lastSecond, type Rate, rate } from "../model/rate.ts";
import { formatNumber } from "../text/format.ts";

const HEIGHT = 120;

/** The chart, and its figures as text. */
export function RateChart(): VNode {
  const box = useRef<HTMLDivElement>(null);
  const now = useCell(rate);
  const chosen = useCell(theme);
  const chart = useRef<uPlot>();
  useEffect(() => {
    const make = () => {
      chart.current?.destroy();
      chart.current = makeChart(box.current!);
    };
    make();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    const watcher = new ResizeObserver(([{ contentRect }]) =>
      chart.current?.setSize({ width: contentRect.width, height: HEIGHT })
    );
    watcher.observe(box.current!);
    return () => {
      scheme.removeEventListener("change", make);
      watcher.disconnect();
      chart.current?.destroy();
    };
  }, [chosen]);
  useEffect(() => chart.current?.setData(dataOf(now)), [now]);
  const second = formatNumber(lastSecond(now));
  const minute = formatNumber(lastMinute(now));
  return html`
    <div class="rate">
      <div class="rate-head">
        <h2 id="changes-title" class="view-title" tabindex="-1">Changes</h2>
        <p class="figure"><strong>${second}</strong> a second</p>
        <p class="figure"><strong>${minute}</strong> in the last minute</p>
      </div>
      <div class="chart" ref=${box} role="img"
        aria-label="Changes a second in the last two minutes"></div>
    </div>
  ` as VNode;
}

function dataOf({ times, counts }: Rate): uPlot.AlignedData {
  return [times as number[], counts as number[]];
}

function makeChart(box: HTMLElement): uPlot {
  const colours = getComputedStyle(box);
  const axis: uPlot.Axis = {
    stroke: colours.color,
    font: "11px system-ui, sans-serif",
    grid: { stroke: colours.borderTopColor, width: 1 },
    ticks: { show: false },
  };
  return new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 8, 0, 0],
      scales: {
        x: { range: (_chart, min, max) => [min, max + 1] },
        y: { range: (_chart, _min, max) => [0, Math.max(5, max)] },
      },
      axes: [
        { ...axis, grid: { show: false }, values: clock, size: 24 },
        { ...axis, values: (_chart, values) => values.map(tick), size: 48 },
      ],
      series: [{}, {
        fill: colours.accentColor,
        paths: uPlot.paths.bars!({ size: [0.8], align: 1 }),
        points: { show: false },
      }],
    },
    dataOf(rate.value),
    box,
  );
}

function tick(value: number): string {
  return Number.isInteger(value) ? formatNumber(value) : "";
}

function clock(_chart: uPlot, seconds: number[]): string[] {
  return seconds.map((second) => {
    const time = new Date(second * 1000);
    return [time.getHours(), time.getMinutes(), time.getSeconds()]
      .map((part) => String(part).padStart(2, "0")).join(":");
  });
}
