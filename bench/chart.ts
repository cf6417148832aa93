/**
 * The results as a chart: a panel for each of a few rows, with a bar for each
 * subject.
 *
 * @module
 */
import * as echarts from "echarts";
import { formatRate, type Line, type RowResult } from "./results.ts";
import type { Family, Subject } from "./subjects/subject.ts";

const WIDTH = 920;
const COLUMNS = 2;
const MARGIN = 20;
/** The x position where the names of the subjects end, in a panel. */
const NAMES = 165;
/** The space for the figures at the ends of the bars. */
const FIGURES = 75;
const BAR = 19;
const HEAD = 40;
const LEGEND = 30;

const COLORS: Record<Family, string> = {
  store: "#0969da",
  raw: "#a3aab3",
  peer: "#d99a3d",
};
const FAMILIES: Record<Family, string> = {
  store: "@zestor/store",
  raw: "raw statements on its tables",
  peer: "others",
};
const TEXT = "#1f2328";

/** Draws the rows. Rows about durable writes leave out subjects that are not durable. */
export function drawChart(
  rows: readonly RowResult[],
  subjects: readonly Subject[],
): string {
  const durable = new Set(
    subjects.filter(({ isDurable }) => isDurable).map(({ name }) => name),
  );
  const panels = rows.map((row) => ({
    name: row.name,
    lines: row.lines.filter(({ subject }) =>
      !row.isDurable || durable.has(subject)
    ).toSorted((a, b) => b.value.median - a.value.median),
  }));
  const most = Math.max(...panels.map(({ lines }) => lines.length));
  const panelWidth = (WIDTH - MARGIN) / COLUMNS;
  const panelHeight = HEAD + most * BAR + MARGIN;
  const height = LEGEND + Math.ceil(panels.length / COLUMNS) * panelHeight;
  const left = (i: number) => MARGIN + i % COLUMNS * panelWidth;
  const top = (i: number) => LEGEND + Math.floor(i / COLUMNS) * panelHeight;

  const chart = echarts.init(null, null, {
    renderer: "svg",
    ssr: true,
    width: WIDTH,
    height,
  });
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    textStyle: { fontFamily: "Helvetica, Arial, sans-serif", color: TEXT },
    title: panels.map(({ name }, i) => ({
      text: `${name}: per second`,
      left: left(i),
      top: top(i) + 8,
      textStyle: { fontSize: 14, color: TEXT },
    })),
    legend: {
      data: Object.values(FAMILIES),
      top: 8,
      left: MARGIN,
      // The text is wider in some fonts than in the measured one.
      itemGap: 40,
      textStyle: { color: TEXT },
    },
    grid: panels.map(({ lines }, i) => ({
      left: left(i) + NAMES,
      top: top(i) + HEAD,
      width: panelWidth - NAMES - FIGURES,
      height: lines.length * BAR,
    })),
    xAxis: panels.map((_, i) => ({
      gridIndex: i,
      type: "value",
      show: false,
    })),
    yAxis: panels.map(({ lines }, i) => ({
      gridIndex: i,
      type: "category",
      data: lines.map(({ subject }) => subject),
      axisTick: { show: false },
      axisLine: { show: false },
      axisLabel: { color: TEXT },
    })),
    series: panels.flatMap(({ lines }, i) =>
      (Object.keys(FAMILIES) as Family[]).map((family) => ({
        name: FAMILIES[family],
        type: "bar",
        // One bar for each subject, of any family.
        stack: `panel ${i}`,
        xAxisIndex: i,
        yAxisIndex: i,
        color: COLORS[family],
        barWidth: BAR - 6,
        data: lines.map((line) => line.family === family ? barOf(line) : null),
      }))
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function barOf({ value }: Line) {
  const rate = 1_000 / value.median;
  return {
    value: rate,
    label: {
      show: true,
      position: "right",
      color: TEXT,
      formatter: formatRate(rate).replace("/s", ""),
    },
  };
}
