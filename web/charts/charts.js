// The charts of the pages, by Apache ECharts with its SVG renderer. Each plain chart of a page lies in an
// element whose data-plot holds its figures; where this runs, the chart takes the plain one's place. It
// reads nothing else and sends nothing.
import { init, use } from "echarts/core";
import { BarChart, CustomChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  ToolboxComponent,
  TooltipComponent,
} from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([
  AriaComponent, BarChart, CustomChart, GridComponent, LegendComponent, MarkLineComponent,
  ScatterChart, SVGRenderer, ToolboxComponent, TooltipComponent,
]);

// The pages allow no inline styles as markup; set from a script they are allowed.
const plainly = Element.prototype.setAttribute;
Element.prototype.setAttribute = function setAttribute(name, value) {
  if (name === "style") this.style.cssText = value;
  else plainly.call(this, name, value);
};

const PALETTE = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999"];
const INK = "#1b2430";
const LIMIT = "#a3200a";
const ROW = 34;
const known = (value) => typeof value === "number" && Number.isFinite(value);
const percent = (value) => `${(100 * value).toFixed(1)} %`;
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// A number of an axis, in as few signs as it takes.
const UNITS = document.documentElement.lang.startsWith("zh")
  ? [[1e8, "\u2009亿"], [1e4, "\u2009万"]]
  : [[1e9, "\u2009bn"], [1e6, "\u2009m"], [1e3, "\u2009k"]];
function brief(value) {
  const [one, unit] = UNITS.find(([from]) => Math.abs(value) >= from) ?? [1, ""];
  const cut = value / one;
  return `${+cut.toFixed(Math.abs(cut) < 10 ? 2 : 1)}${unit}`;
}

function frame(plot, narrow) {
  return {
    color: PALETTE,
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: INK },
    aria: { enabled: true, label: { description: plot.title } },
    tooltip: { renderMode: "richText", confine: true, trigger: "item", textStyle: { fontSize: 12 } },
    toolbox: {
      right: 6, top: 0, itemSize: 14,
      feature: { saveAsImage: { title: document.getElementById("main").dataset.save, name: "consilium", type: "svg" } },
    },
    grid: { left: narrow ? 84 : 150, right: narrow ? 16 : 150, top: 26, bottom: 30 },
  };
}

const names = (plot, narrow) => ({
  type: "category",
  inverse: true,
  data: plot.rows.map((row) => row.name),
  axisLabel: { color: INK, formatter: (text) => short(text, narrow ? 11 : 20) },
  axisTick: { show: false },
});

// Whiskers of intervals and short lines across rows: what bars alone cannot draw.
function whiskers(rows) {
  const data = rows
    .map((row, place) => [place, row.low, row.high, row.line])
    .filter((one) => one.slice(1).some(known));
  const stroke = (shape, style) => ({ type: "line", shape, style, silent: true });
  return {
    type: "custom", data, z: 5, silent: true, tooltip: { show: false },
    encode: { x: [1, 2, 3], y: 0 },
    renderItem(_, api) {
      const [place, low, high, line] = [0, 1, 2, 3].map((at) => api.value(at));
      const half = Math.min(9, api.size([0, 1])[1] / 4);
      const children = [];
      const at = (value) => api.coord([value, place]);
      if (known(low) && known(high)) {
        const style = { stroke: INK, lineWidth: 1.5 };
        const [[a, y], [b]] = [at(low), at(high)];
        children.push(stroke({ x1: a, y1: y, x2: b, y2: y }, style));
        for (const x of [a, b]) children.push(stroke({ x1: x, y1: y - half, x2: x, y2: y + half }, style));
      }
      if (known(line)) {
        const [x, y] = at(line);
        const style = { stroke: LIMIT, lineWidth: 2.2, lineDash: [4, 3] };
        children.push(stroke({ x1: x, y1: y - half - 5, x2: x, y2: y + half + 5 }, style));
      }
      return { type: "group", children };
    },
  };
}

// A bar a row, with its interval and a line across it.
function bars(plot, narrow) {
  return {
    ...frame(plot, narrow),
    xAxis: { type: "value", axisLabel: { color: INK, formatter: brief, hideOverlap: true } },
    yAxis: names(plot, narrow),
    series: [
      {
        type: "bar", barWidth: 17,
        data: plot.rows.map((row) => ({ value: row.value, itemStyle: { color: PALETTE[row.colour % 8] } })),
        tooltip: { formatter: (one) => `${plot.rows[one.dataIndex].name}: ${plot.rows[one.dataIndex].told}` },
      },
      whiskers(plot.rows),
      {
        // What stands behind a bar, its interval and its line.
        type: "custom", silent: true, z: 6, tooltip: { show: false },
        data: plot.rows.map((row, place) => [Math.max(row.value, row.high ?? 0, row.line ?? 0), place]),
        renderItem(_, api) {
          const end = api.value(0);
          if (narrow || !known(end)) return undefined;
          const [x, y] = api.coord([end, api.value(1)]);
          const text = plot.rows[api.value(1)].told;
          return { type: "text", x: x + 8, y, style: { text, fill: INK, fontSize: 12, verticalAlign: "middle" } };
        },
      },
    ],
  };
}

// Parts of a whole or of a sum below each other.
function stacked(plot, narrow) {
  const shown = plot.percent ? percent : brief;
  const legend = Math.ceil(plot.parts.length / (narrow ? 2 : 5)) * 22 + 6;
  const base = frame(plot, narrow);
  return {
    ...base,
    legend: { bottom: 0, itemWidth: 14, itemHeight: 12, textStyle: { color: INK } },
    grid: { ...base.grid, bottom: legend + 24 },
    xAxis: {
      type: "value", max: plot.percent ? 1 : undefined,
      axisLabel: { color: INK, formatter: (value) => (plot.percent ? `${Math.round(100 * value)} %` : brief(value)), hideOverlap: true },
    },
    yAxis: names(plot, narrow),
    series: plot.parts.map((part, place) => ({
      type: "bar", name: part, stack: "all", barWidth: 20,
      data: plot.rows.map((row) => row.values[place]),
      tooltip: { formatter: (one) => `${one.name}\n${part}: ${shown(one.value)}` },
    })).concat(plot.rows.some((row) => known(row.low)) ? [whiskers(plot.rows)] : []),
  };
}

// Two indices of each row against each other; 1 is the yardstick of both.
function quadrant(plot, narrow) {
  const points = plot.rows.filter((row) => known(row.x) && known(row.y));
  const ends = (low, high, value) => points.flatMap((row) => [row[low], row[high], row[value]]).filter(known);
  const span = (all) => {
    const [low, high] = [Math.min(...all, 0.98), Math.max(...all, 1.02)];
    const room = 0.08 * (high - low);
    return { min: +(low - room).toFixed(2), max: +(high + room).toFixed(2) };
  };
  const axis = (name, all) => ({
    type: "value", name, ...span(all), nameLocation: "middle", nameGap: 30,
    nameTextStyle: { color: INK }, axisLabel: { color: INK }, splitLine: { lineStyle: { color: "#e6eaef" } },
  });
  const base = frame(plot, narrow);
  return {
    ...base,
    grid: { left: narrow ? 52 : 70, right: narrow ? 24 : 60, top: 30, bottom: 50 },
    xAxis: axis(plot.axes[0], ends("xl", "xh", "x")),
    yAxis: axis(plot.axes[1], ends("yl", "yh", "y")),
    series: [
      {
        type: "scatter", symbolSize: 13, itemStyle: { color: PALETTE[0] }, z: 4,
        data: points.map((row) => [row.x, row.y]),
        label: { show: true, position: "top", color: INK, formatter: (one) => points[one.dataIndex].name },
        tooltip: { formatter: (one) => points[one.dataIndex].told },
        markLine: {
          symbol: "none", silent: true, label: { show: false },
          lineStyle: { color: LIMIT, type: "dashed", width: 1.4 },
          data: [{ xAxis: 1 }, { yAxis: 1 }],
        },
      },
      {
        type: "custom", silent: true, z: 3, tooltip: { show: false },
        data: points.map((row) => [row.x, row.y, row.xl, row.xh, row.yl, row.yh]),
        renderItem(_, api) {
          const [x, y, xl, xh, yl, yh] = [0, 1, 2, 3, 4, 5].map((at) => api.value(at));
          const style = { stroke: PALETTE[0], lineWidth: 1.2, opacity: 0.55 };
          const line = (from, to) => {
            const [[x1, y1], [x2, y2]] = [api.coord(from), api.coord(to)];
            return { type: "line", shape: { x1, y1, x2, y2 }, style };
          };
          const children = [];
          if (known(xl) && known(xh)) children.push(line([xl, y], [xh, y]));
          if (known(yl) && known(yh)) children.push(line([x, yl], [x, yh]));
          return { type: "group", children };
        },
      },
    ],
  };
}

// From the 25th to the 75th percentile, the median and the 90th, each row.
function spread(plot, narrow) {
  const base = frame(plot, narrow);
  const tall = plot.rows.map((row, place) => [place, row.p25, row.p50, row.p75, row.p90]);
  return {
    ...base,
    xAxis: { type: "value", scale: true, axisLabel: { color: INK, formatter: brief, hideOverlap: true } },
    yAxis: names(plot, narrow),
    series: [
      {
        type: "custom", data: tall, encode: { x: [1, 2, 3, 4], y: 0 },
        tooltip: { formatter: (one) => `${plot.rows[one.dataIndex].name}: ${plot.rows[one.dataIndex].told}` },
        renderItem(_, api) {
          const [place, p25, p50, p75, p90] = [0, 1, 2, 3, 4].map((at) => api.value(at));
          const at = (value) => api.coord([value, place])[0];
          const y = api.coord([0, place])[1];
          const children = [];
          const line = (x1, x2, y1, y2, style) => children.push({ type: "line", shape: { x1, x2, y1, y2 }, style });
          const thin = { stroke: INK, lineWidth: 1.5 };
          if (known(p25) && known(p75)) {
            const shape = { x: at(p25), y: y - 9, width: Math.max(1, at(p75) - at(p25)), height: 18 };
            children.push({ type: "rect", shape, style: { fill: PALETTE[4], stroke: PALETTE[0] } });
          }
          if (known(p75) && known(p90)) {
            line(at(p75), at(p90), y, y, thin);
            line(at(p90), at(p90), y - 6, y + 6, thin);
          }
          if (known(p50)) line(at(p50), at(p50), y - 9, y + 9, { stroke: INK, lineWidth: 3 });
          return { type: "group", children };
        },
      },
      whiskers(plot.rows),
    ],
  };
}

const KINDS = { bars, stacked, quadrant, spread };

function height(plot, narrow) {
  if (plot.kind === "quadrant") return narrow ? 330 : 440;
  const legend = plot.parts ? Math.ceil(plot.parts.length / (narrow ? 2 : 5)) * 22 + 6 : 0;
  return 70 + legend + ROW * plot.rows.length;
}

function draw(place) {
  const plot = JSON.parse(place.dataset.plot);
  const kind = KINDS[plot.kind];
  if (!kind || plot.rows.length === 0) return;
  const plain = place.firstElementChild;
  const canvas = document.createElement("div");
  let chart;
  const fit = () => {
    const width = Math.floor(place.clientWidth);
    const narrow = width < 560;
    canvas.style.height = `${height(plot, narrow)}px`;
    canvas.style.width = `${width}px`;
    if (chart) chart.resize();
    else chart = init(canvas, null, { renderer: "svg" });
    chart.setOption(kind(plot, narrow), true);
  };
  place.append(canvas);
  try {
    fit();
  } catch (fault) {
    canvas.remove();
    throw fault;
  }
  plain.hidden = true;
  place.classList.add("drawn");
  let waits;
  window.addEventListener("resize", () => {
    clearTimeout(waits);
    waits = setTimeout(fit, 120);
  });
}

for (const place of document.querySelectorAll("[data-plot]")) draw(place);
