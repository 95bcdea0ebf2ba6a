// Charts as inline SVG, drawn at the size of their place so that text keeps its size.
import { $, clock, h, s } from "./dom.js";

const LEFT = 46, RIGHT = 6, TOP = 8, BOTTOM = 22;

function nice(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 7.5, 10].find((f) => value <= f * power * 1.0001) * power;
}

// series: [{name, values, css}], kind "bars" (stacked) or "lines"; describe(value) gives the words of a value.
export function chart(place, { kind, starts, series, describe, label, whole }) {
  const width = Math.max(260, place.clientWidth), height = place.clientHeight || 172;
  const count = starts.length, step = (width - LEFT - RIGHT) / Math.max(1, count);
  let high = 0;
  for (let i = 0; i < count; i++) {
    const values = series.map((one) => one.values[i] ?? 0);
    high = Math.max(high, kind === "bars" ? values.reduce((a, b) => a + b, 0) : Math.max(...values));
  }
  const top = whole ? Math.max(2, nice(high)) : nice(high);
  const y = (v) => height - BOTTOM - (height - TOP - BOTTOM) * (v / top);
  const x = (i) => LEFT + i * step;
  const days = count > 1 && starts[count - 1] - starts[0] > 90000;
  const svg = s("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  for (let i = 0; i <= 2; i++) {
    const value = (top * i) / 2;
    svg.append(
      s("line", { class: "gridline", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
      s("text", { x: LEFT - 7, y: y(value) + 4, "text-anchor": "end" }, describe(value)),
    );
  }
  const labels = width < 420 ? 3 : 5;
  for (let i = 0; i < labels && count > 1; i++) {
    const at = Math.round((i * (count - 1)) / (labels - 1));
    const anchor = i === 0 ? "start" : i === labels - 1 ? "end" : "middle";
    const px = i === 0 ? LEFT : i === labels - 1 ? width - RIGHT : x(at + 0.5);
    svg.append(s("text", { x: px, y: height - 5, "text-anchor": anchor }, clock(starts[at], days)));
  }
  if (kind === "bars") {
    for (let i = 0; i < count; i++) {
      let below = 0;
      for (const one of series) {
        const value = one.values[i] ?? 0;
        if (value) svg.append(s("rect", { class: `bar ${one.css}`, x: x(i) + step * 0.12, y: y(below + value), width: Math.max(1, step * 0.76), height: y(below) - y(below + value), rx: Math.min(2, step / 5) }));
        below += value;
      }
    }
  } else {
    for (const one of series) {
      let path = "", pen = false;
      one.values.forEach((value, i) => {
        if (value === null || value === undefined) { pen = false; return; }
        path += `${pen ? "L" : "M"}${x(i + 0.5).toFixed(1)} ${y(value).toFixed(1)}h.01`;
        pen = true;
      });
      if (path) svg.append(s("path", { class: `line ${one.css}`, d: path }));
    }
  }
  const cursor = s("line", { class: "cursor", y1: TOP, y2: height - BOTTOM, visibility: "hidden" });
  svg.append(cursor);
  svg.addEventListener("pointermove", (event) => {
    const i = Math.floor((event.clientX - svg.getBoundingClientRect().left - LEFT) / step);
    if (i < 0 || i >= count) return hide();
    cursor.setAttribute("x1", x(i + 0.5));
    cursor.setAttribute("x2", x(i + 0.5));
    cursor.setAttribute("visibility", "visible");
    const lines = series.map((one) => `${one.name}: ${one.values[i] === null || one.values[i] === undefined ? "–" : describe(one.values[i])}`);
    tip([clock(starts[i], days), ...lines].join("\n"), event);
  });
  const hide = () => { cursor.setAttribute("visibility", "hidden"); $("tip").hidden = true; };
  svg.addEventListener("pointerleave", hide);
  place.replaceChildren(svg);
}

export function tip(text, event) {
  const box = $("tip");
  box.textContent = text;
  box.hidden = false;
  const left = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8);
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${Math.max(8, event.clientY - box.offsetHeight - 12)}px`;
}

// A horizontal bar of parts: [{name, value, color 1-6}]; `max` sets the full width.
export function meter(name, parts, max, { thin = false, text } = {}) {
  const total = parts.reduce((sum, p) => sum + p.value, 0);
  let at = 0;
  const svg = s("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const part of parts) {
    const width = max ? (part.value / max) * 100 : 0;
    svg.append(s("rect", { class: `fill-${part.color}`, x: at, y: 0, width, height: 10 }));
    at += width;
  }
  const words = parts.filter((p) => p.value).map((p) => `${p.name}: ${p.value.toLocaleString("en-US")}`).join("\n");
  const row = h("div", { class: thin ? "meter thin" : "meter" }, h("span", { class: "name", title: name }, name), svg, h("span", { class: "count" }, text ?? total.toLocaleString("en-US")));
  if (parts.length > 1) {
    row.addEventListener("pointermove", (event) => tip(words, event));
    row.addEventListener("pointerleave", () => { $("tip").hidden = true; });
    row.append(h("span", { class: "sr" }, words));
  }
  return row;
}
