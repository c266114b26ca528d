"use strict";
// One viewport over layers of one field of view. Positions are shares (0..1) of the picture's width and height.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const port = byId("viewport");
const [width, height] = data.pictures[0].size;
const state = {view: data.pictures[0].name, compare: "", split: 0.5, scale: 1, x: 0, y: 0, opacity: 1,
               slope: 0, aperture: 1, spread: 0, look: [0, 0], looking: false, moved: false};
const layers = [];

// --- layers -----------------------------------------------------------------------------------------------------
function addLayer(name, title, caption, make, more = {}) {
  layers.push({name, title, caption, make, element: null, ...more});
}
const find = (name) => layers.find((layer) => layer.name === name);
function element(layer) {
  if (!layer.element) {
    layer.element = layer.make(layer);
    layer.element.style.width = width + "px";
    layer.element.style.height = height + "px";
  }
  return layer.element;
}
function image(source, alt) {
  const img = new Image();
  img.alt = alt;
  img.draggable = false;
  img.src = source;
  return img;
}
for (const p of data.pictures) addLayer(p.name, p.title, p.caption, () => image(p.source, p.title), {source: p.source});

// Values are packed into red (upper 8 bits) and green (lower); blue says where they are known.
async function unpack({source, size: [columns, rows], range: [low, high], top}) {
  const blob = await (await fetch(source)).blob();
  const bitmap = await createImageBitmap(blob, {colorSpaceConversion: "none", premultiplyAlpha: "none"});
  const canvas = document.createElement("canvas");
  canvas.width = columns; canvas.height = rows;
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(bitmap, 0, 0);
  const bytes = context.getImageData(0, 0, columns, rows).data;
  const values = new Float32Array(columns * rows);
  for (let k = 0; k < values.length; k++) {
    values[k] = bytes[4 * k + 2] ? low + (high - low) * (256 * bytes[4 * k] + bytes[4 * k + 1]) / top : NaN;
  }
  return values;
}
const SCALES = {  // colors at even steps from 0 to 1
  turbo: [[48, 18, 59], [70, 107, 227], [40, 187, 236], [49, 242, 153], [162, 252, 60], [237, 208, 58], [251, 128, 34], [209, 50, 5], [122, 4, 3]],
  cividis: [[0, 34, 78], [53, 69, 108], [102, 105, 112], [148, 142, 119], [202, 183, 105], [254, 232, 56]],
};
function color(name, x) {
  const steps = SCALES[name], place = Math.min(1, Math.max(0, x)) * (steps.length - 1), k = Math.min(steps.length - 2, Math.floor(place));
  return steps[k].map((v, c) => Math.round(v + (place - k) * (steps[k + 1][c] - v)));
}
function palette(map) {
  return Array.from({length: 256}, (_, k) => color(map.colors, Math.pow((map.reverse ? 255 - k : k) / 255, map.curve)));
}
for (const map of data.maps) {
  addLayer(map.name, map.title, map.caption, (layer) => {
    const canvas = document.createElement("canvas"), packed = map.packed || data.depth.packed;
    [canvas.width, canvas.height] = layer.size = packed.size;
    layer.loaded = unpack(packed).then((values) => {
      layer.values = values;
      const context = canvas.getContext("2d"), shown = context.createImageData(...packed.size), table = palette(map);
      const known = values.filter((v) => !Number.isNaN(v)).sort();
      const low = known[Math.floor(0.01 * known.length)] ?? 0, high = known[Math.ceil(0.99 * known.length) - 1] ?? 1;
      layer.limits = [low, high];
      for (let k = 0; k < values.length; k++) {
        const level = Math.round(255 * Math.min(1, Math.max(0, (values[k] - low) / Math.max(high - low, 1e-12))));
        const rgb = Number.isNaN(values[k]) ? [128, 128, 128] : table[level];
        shown.data.set([...rgb, 255], 4 * k);
      }
      context.putImageData(shown, 0, 0);
      legend(); histogram();
    });
    return canvas;
  }, {map});
}

// --- refocusing: WebGL 2 from the sharp picture and its disparity; without it, the nearest slice ------------------
const depth = data.depth, slices = data.slices;
let renderer = null, depthValues = null;
// Where focus can stop: slopes of a focal stack, or else the photographs by their place in the list.
const stops = slices ? slices.slopes || slices.labels.map((_, k) => k) : null, frames = Boolean(slices && !slices.slopes);
const range = depth ? depth.range : stops ? [stops[0], stops.at(-1)] : null;
const SHADER = `#version 300 es
precision highp float;
uniform sampler2D picture, disparity;
uniform vec2 size, look;
uniform float slope, halfWidth, scale, spread, nearest, ratio;
uniform int samples;
out vec4 result;
float depthAt(vec2 p) { return texture(disparity, p / size).r; }
vec3 along(vec2 p, vec2 a) {
  float d = nearest;  // near surfaces hide far ones: the search starts in front
  vec2 q = p;
  for (int k = 0; k < 4; k++) {
    float s = slope + clamp(d - slope, -spread, spread);
    q = p + scale * (s * a - d * (look + a));
    d = depthAt(q);
  }
  return texture(picture, q / size).rgb;
}
void main() {
  vec2 p = vec2(gl_FragCoord.x, gl_FragCoord.y) * ratio;
  p.y = size.y - p.y;
  float turn = 6.2831853 * fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
  vec3 sum = vec3(0.0);
  int n = halfWidth > 0.0 ? samples : 1;
  for (int i = 0; i < 96; i++) {
    if (i >= n) break;
    float r = halfWidth * sqrt((float(i) + 0.5) / float(n)), t = turn + 2.39996323 * float(i);
    sum += along(p, halfWidth > 0.0 ? r * vec2(cos(t), sin(t)) : vec2(0.0));
  }
  vec3 light = sum / float(n);
  vec3 low = 12.92 * light, high = 1.055 * pow(max(light, vec3(0.0031308)), vec3(1.0 / 2.4)) - 0.055;
  result = vec4(mix(high, low, vec3(lessThanEqual(light, vec3(0.0031308)))), 1.0);
}`;
class Renderer {
  constructor(canvas, bitmap, values) {
    const gl = canvas.getContext("webgl2", {preserveDrawingBuffer: true, antialias: false});
    if (!gl) throw new Error("no WebGL 2");
    this.gl = gl; this.canvas = canvas; this.coarse = 2; this.timer = 0; this.pixel = new Uint8Array(4);
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, "#version 300 es\nvoid main(){vec2 p=vec2((gl_VertexID<<1)&2,gl_VertexID&2);gl_Position=vec4(2.0*p-1.0,0,1);}"],
                                [gl.FRAGMENT_SHADER, SHADER]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text); gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program); gl.useProgram(program);
    this.at = (name) => gl.getUniformLocation(program, name);
    const texture = (unit, filter, upload) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      upload();
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    };
    texture(0, gl.LINEAR, () => gl.texImage2D(gl.TEXTURE_2D, 0, gl.SRGB8_ALPHA8, gl.RGBA, gl.UNSIGNED_BYTE, bitmap));
    texture(1, gl.NEAREST, () => gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, ...depth.packed.size, 0, gl.RED, gl.FLOAT, values));
    gl.uniform1i(this.at("picture"), 0); gl.uniform1i(this.at("disparity"), 1);
    gl.uniform2f(this.at("size"), width, height);
    gl.uniform1f(this.at("scale"), depth.scale);
    gl.uniform1f(this.at("nearest"), depth.range[0]);
  }
  draw(coarse, samples) {
    const gl = this.gl;
    this.canvas.width = Math.ceil(width / coarse); this.canvas.height = Math.ceil(height / coarse);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.uniform1f(this.at("ratio"), width / this.canvas.width);
    gl.uniform1f(this.at("slope"), state.slope);
    gl.uniform1f(this.at("halfWidth"), state.aperture * depth.halfAperture);
    gl.uniform1f(this.at("spread"), state.spread * (depth.range[1] - depth.range[0]) / 2);
    gl.uniform2f(this.at("look"), state.look[0], state.look[1]);
    gl.uniform1i(this.at("samples"), samples);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
  // Coarse while something moves, as fine as the picture once it rests.
  show(moving) {
    clearTimeout(this.timer);
    if (moving) {
      const start = performance.now();
      this.draw(this.coarse, 16);
      this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, this.pixel);  // waits until it is drawn
      const spent = performance.now() - start;
      if (spent > 18 && this.coarse < 8) this.coarse += 1;
      if (spent < 5 && this.coarse > 1) this.coarse -= 1;
      this.timer = setTimeout(() => this.show(false), 160);
    } else {
      this.draw(1, this.coarse > 3 ? 24 : 64);  // a slow processor draws the picture at rest with fewer rays
    }
  }
}
async function prepareDepth() {
  if (!depth) return;
  depthValues = await unpack(depth.packed);
  for (let k = 0; k < depthValues.length; k++) if (Number.isNaN(depthValues[k])) depthValues[k] = depth.range[1];
}
const ready = prepareDepth();
if (depth || (slices && slices.slopes)) {
  addLayer("refocus", "Refocus", depth ? "Rendered from the sharp picture and its disparity." : "", (layer) => {
    if (!depth) return sliceImage();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    (async () => {
      await ready;
      const blob = await (await fetch(data.pictures[0].source)).blob();
      const bitmap = await createImageBitmap(blob, {colorSpaceConversion: "none"});
      try { renderer = new Renderer(canvas, bitmap, depthValues); } catch (error) {
        if (!slices) return;
        layer.element = null;  // without WebGL, the slices serve
        layer.make = sliceImage;
        show(state.view);
      }
      refocus(false);
    })();
    return canvas;
  }, {refocus: true});
}
const sliceImages = [];
function sliceImage() {
  const made = image(slices.sources[nearestSlice()], "Slice of the focal stack");
  sliceImages.push(made);
  return made;
}
if (slices && (depth || frames)) {
  addLayer("slices", frames ? "Photographs" : "Slices", "", sliceImage, {slices: true});
}
function nearestSlice() {
  let best = 0;
  (stops || []).forEach((s, k) => { if (Math.abs(s - state.slope) < Math.abs(stops[best] - state.slope)) best = k; });
  return best;
}
function refocus(moving) {
  if (renderer && shown("refocus")) renderer.show(moving);
  const k = nearestSlice();
  for (const one of sliceImages) if (one.src !== slices.sources[k]) one.src = slices.sources[k];
  if (state.view === "slices") byId("caption").textContent = slices.labels[k];
  controls();
}
let gliding = 0;
function focusOn(target) {
  cancelAnimationFrame(gliding);
  const from = state.slope, start = performance.now();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const step = (now) => {
    const t = calm ? 1 : Math.min(1, (now - start) / 350), eased = t * t * (3 - 2 * t);
    state.slope = from + (target - from) * eased;
    refocus(t < 1);
    if (t < 1) gliding = requestAnimationFrame(step); else { link(); toParent({lfPicture: "focus", disparity: state.slope, ...where()}); }
  };
  gliding = requestAnimationFrame(step);
}
async function focusAt(x, y) {
  state.place = [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))];
  await ready;
  const target = await slopeAt(...state.place);
  if (target !== null) {
    if (!shown("refocus") && !shown("slices")) show(find("refocus") ? "refocus" : "slices");
    focusOn(target);
  }
  curve(); epipolar();
}
const cell = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
// By the disparity, else the photograph that was chosen there, else the sharpest slice.
async function slopeAt(x, y) {
  if (depthValues) {
    const [columns, rows] = depth.packed.size;
    return depthValues[cell(y, rows) * columns + cell(x, columns)];
  }
  const chosen = frames && find("decision");
  if (chosen) {
    element(chosen);
    await chosen.loaded;
    const [columns, rows] = chosen.size, number = chosen.values[cell(y, rows) * columns + cell(x, columns)] - 1;
    const places = slices.numbers || stops;
    let best = 0;
    places.forEach((n, k) => { if (Math.abs(n - number) < Math.abs(places[best] - number)) best = k; });
    return best;
  }
  const values = curveAt(x, y);
  if (!values) return null;
  const k = values.indexOf(Math.max(...values));
  if (frames || k === 0 || k === values.length - 1) return stops[k];
  const [a, b, c] = values.slice(k - 1, k + 2), bend = a - 2 * b + c;  // between planes by a parabola
  return stops[k] + (bend < 0 ? 0.5 * (a - c) / bend : 0) * (stops[k + 1] - stops[k - 1]) / 2;
}
function curveAt(x, y) {
  if (!slices || !slices.curves) return null;
  const rows = slices.curves[0].length, columns = slices.curves[0][0].length;
  return slices.curves.map((one) => one[cell(y, rows)][cell(x, columns)]);
}
function svg(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}
// The focus measure of every slice at the place that was clicked; the line is where focus lies now.
function curve() {
  const values = state.place && curveAt(...state.place);
  if (!values) return;
  const figure = byId("curve"), most = Math.max(...values, 1e-9), [first, last] = [stops[0], stops.at(-1)];
  const across = (s) => 5 + 246 * Math.min(1, Math.max(0, (s - first) / Math.max(last - first, 1e-9)));
  const points = values.map((v, k) => `${across(stops[k])},${68 - 62 * v / most}`).join(" ");
  const name = (s) => frames ? String((slices.numbers ? slices.numbers[s] : s) + 1) : s.toFixed(2);
  figure.querySelector("svg").replaceChildren(
    svg("line", {x1: across(state.slope), x2: across(state.slope), y1: 2, y2: 68, class: "now"}),
    svg("polyline", {points, class: "values"}),
    ...values.map((v, k) => svg("circle", {cx: across(stops[k]), cy: 68 - 62 * v / most, r: 2})),
    svg("text", {x: 4, y: 80}, name(first)), svg("text", {x: 252, y: 80, "text-anchor": "end"}, name(last)));
  const [x, y] = state.place;
  figure.querySelector("figcaption").textContent = `Focus measure at ${Math.floor(x * width)}, ${Math.floor(y * height)}, over ` +
    (frames ? "photographs" : "px per step") + "; the line is the focus now";
  figure.hidden = false;
}

// --- epipolar slice: one row as it is seen from left to right ------------------------------------------------------
const VIEWS_RENDERED = 33, VIEW_ROWS = 4;
byId("epipolar").hidden = !(depth || data.views);
async function epipolar() {
  const figure = byId("epipolarFigure"), on = !figure.hidden, row = state.place ? state.place[1] : 0.5;
  byId("rowLine").hidden = !on;
  byId("rowLine").style.top = `${state.y + state.scale * height * row}px`;
  if (!on) return;
  const canvas = figure.querySelector("canvas");
  if (data.views) await measuredRow(canvas, row); else await renderedRow(canvas, row);
  figure.querySelector("figcaption").textContent = `Row ${Math.floor(row * height)} from the leftmost view (top) to the rightmost: ` +
    "the steeper a line, the less it moves. " + (data.views ? "As measured." : "Rendered from the sharp picture and its disparity.");
}
async function measuredRow(canvas, row) {
  const images = await Promise.all(data.views.map(async (source) => createImageBitmap(await (await fetch(source)).blob())));
  const [columns, rows] = [images[0].width, images[0].height];
  canvas.width = columns; canvas.height = VIEW_ROWS * images.length;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  images.forEach((one, k) => context.drawImage(one, 0, cell(row, rows), columns, 1, 0, VIEW_ROWS * k, columns, VIEW_ROWS));
}
async function renderedRow(canvas, row) {
  await ready;
  const bitmap = await createImageBitmap(await (await fetch(data.pictures[0].source)).blob());
  const line = new OffscreenCanvas(width, 1).getContext("2d");
  line.drawImage(bitmap, 0, cell(row, height), width, 1, 0, 0, width, 1);
  const seen = line.getImageData(0, 0, width, 1).data, [columns, rows] = depth.packed.size, from = cell(row, rows) * columns;
  canvas.width = width; canvas.height = VIEW_ROWS * VIEWS_RENDERED;
  const context = canvas.getContext("2d"), drawn = context.createImageData(width, canvas.height);
  for (let k = 0; k < VIEWS_RENDERED; k++) {
    const look = (2 * k / (VIEWS_RENDERED - 1) - 1) * depth.halfAperture;
    for (let x = 0; x < width; x++) {
      let d = depth.range[0], q = x;  // near surfaces hide far ones: the search starts in front
      for (let n = 0; n < 4; n++) {
        q = Math.min(width - 1, Math.max(0, Math.round(x - depth.scale * d * look)));
        d = depthValues[from + cell((q + 0.5) / width, columns)];
      }
      for (let n = 0; n < VIEW_ROWS; n++) drawn.data.set(seen.subarray(4 * q, 4 * q + 4), 4 * ((VIEW_ROWS * k + n) * width + x));
    }
  }
  context.putImageData(drawn, 0, 0);
}

// --- what is shown ------------------------------------------------------------------------------------------------
const shown = (name) => state.view === name || state.compare === name;
function fill(pane, layer) {
  const back = layer && layer.map && state.opacity < 1 ? [element(find(data.pictures[0].name)).cloneNode()] : [];
  const parts = layer ? [...back, element(layer)] : [];
  parts.forEach((part) => { part.style.opacity = layer.map && part === element(layer) ? state.opacity : 1; });
  pane.replaceChildren(...parts);
}
function show(name, compare = state.compare) {
  if (!find(name)) return;
  state.view = name;
  state.compare = compare === name ? "" : compare;
  fill(byId("right"), find(state.view));
  fill(byId("left"), find(state.compare));
  for (const button of byId("layers").children) button.setAttribute("aria-checked", String(button.dataset.name === name));
  byId("caption").textContent = find(name).caption;
  histogram();
  byId("compare").value = state.compare;
  place(); legend(); refocus(false); link();
}
function legend() {
  const layer = [find(state.view), find(state.compare)].find((one) => one && one.map && one.limits);
  byId("legend").hidden = !layer;
  byId("opacityLabel").hidden = !layer;
  if (!layer) return;
  const [first, bar, last] = byId("legend").children, {map, limits} = layer;
  const named = (v) => map.whole ? String(Math.round(v)) : v.toPrecision(3);
  first.textContent = `${map.ends[0]} ${named(limits[0])}`;
  last.textContent = `${named(limits[1])} ${map.unit} ${map.ends[1]}`;
  const context = bar.getContext("2d"), strip = context.createImageData(256, 1);
  palette(map).forEach((rgb, k) => strip.data.set([...rgb, 255], 4 * k));
  context.putImageData(strip, 0, 0);
}
function controls() {
  const focusing = range && (shown("refocus") || shown("slices")), live = focusing && renderer && shown("refocus");
  byId("focusLabel").hidden = !focusing;
  for (const id of ["apertureLabel", "spreadLabel", "pan"]) byId(id).hidden = !live;
  if (!focusing) return;
  const named = frames ? `${nearestSlice() + 1} of ${stops.length}`
    : `${state.slope >= 0 ? "+" : "−"}${Math.abs(state.slope).toFixed(2)} px/step`;
  byId("focus").value = state.slope;
  byId("focus").setAttribute("aria-valuetext", frames ? `photograph ${named}` : `${state.slope.toFixed(2)} pixels per angular step`);
  byId("focusValue").textContent = named;
  if (state.place) curve();
  byId("aperture").value = state.aperture;
  byId("apertureValue").textContent = `×${state.aperture.toFixed(2)}`;
  byId("aperture").setAttribute("aria-valuetext", `${state.aperture.toFixed(2)} times the camera's`);
  byId("pan").setAttribute("aria-pressed", String(state.looking));
}
function place() {
  const transform = `translate(${state.x}px, ${state.y}px) scale(${state.scale})`;
  for (const pane of [byId("left"), byId("right")]) {
    for (const part of pane.children) { part.style.transform = transform; part.classList.toggle("sharp", state.scale >= 2); }
  }
  byId("rowLine").style.top = `${state.y + state.scale * height * (state.place ? state.place[1] : 0.5)}px`;
  const percent = 100 * state.split, two = Boolean(state.compare);
  byId("left").style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
  byId("divider").style.left = percent + "%";
  byId("divider").hidden = !two;
  byId("divider").style.display = two ? "" : "none";
  byId("divider").setAttribute("aria-valuenow", Math.round(percent));
  byId("divider").setAttribute("aria-valuetext", two ? `${Math.round(percent)} percent ${find(state.compare).title}` : "");
  byId("leftName").textContent = two ? find(state.compare).title : "";
  byId("rightName").textContent = find(state.view).title;
}
function fit() {
  const box = port.getBoundingClientRect();
  state.scale = Math.min(box.width / width, box.height / height);
  state.x = (box.width - state.scale * width) / 2;
  state.y = (box.height - state.scale * height) / 2;
  state.moved = false;
  place();
}
function zoom(factor, x, y) {
  const box = port.getBoundingClientRect();
  const least = Math.min(box.width / width, box.height / height) / 2;
  const scale = Math.min(16, Math.max(least, state.scale * factor));
  state.x = x - (x - state.x) * scale / state.scale;
  state.y = y - (y - state.y) * scale / state.scale;
  state.scale = scale;
  state.moved = true;
  place();
}
const middle = () => { const box = port.getBoundingClientRect(); return [box.width / 2, box.height / 2]; };
const toShare = (x, y) => [(x - state.x) / (state.scale * width), (y - state.y) / (state.scale * height)];

// --- pointer, wheel and keys ----------------------------------------------------------------------------------------
const pointers = new Map();
let dragged = 0, pinch = 0;
port.addEventListener("pointerdown", (event) => {
  if (event.target === byId("divider")) return;
  port.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
  dragged = 0; pinch = 0;
});
function local(event) { const box = port.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; }
port.addEventListener("pointermove", (event) => {
  const [x, y] = local(event);
  tell(x, y);
  if (!pointers.has(event.pointerId)) return;
  const [px, py] = pointers.get(event.pointerId);
  pointers.set(event.pointerId, [x, y]);
  dragged += Math.hypot(x - px, y - py);
  if (pointers.size === 2) {
    const [a, b] = [...pointers.values()], distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
    if (pinch) zoom(distance / pinch, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
    pinch = distance;
  } else if (dragged > 4) {
    if (state.looking && renderer && shown("refocus")) {
      const most = depth.halfAperture, box = port.getBoundingClientRect();
      const bounded = (v) => Math.max(-most, Math.min(most, v));
      state.look = [bounded(state.look[0] + 2 * most * (x - px) / box.width * 2), bounded(state.look[1] + 2 * most * (y - py) / box.height * 2)];
      refocus(true);
    } else { state.x += x - px; state.y += y - py; state.moved = true; place(); }
  }
});
function released(event) {
  const was = pointers.delete(event.pointerId);
  if (was && dragged <= 4 && event.type === "pointerup") {
    const [x, y] = toShare(...local(event));
    if (x >= 0 && x < 1 && y >= 0 && y < 1) focusAt(x, y);
  }
}
port.addEventListener("pointerup", released);
port.addEventListener("pointercancel", released);
port.addEventListener("dblclick", (event) => { const [x, y] = local(event); zoom(1 / state.scale, x, y); });
port.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY / 500), ...local(event)); }, {passive: false});
byId("divider").addEventListener("pointerdown", (event) => {
  event.stopPropagation();
  byId("divider").setPointerCapture(event.pointerId);
  const [from] = local(event);
  let far = false;
  byId("divider").onpointermove = (move) => {
    const [x] = local(move);
    far = far || Math.abs(x - from) > 4;
    if (far) split(x / port.clientWidth);
  };
  byId("divider").onpointerup = (up) => {  // a click on the divider means what lies below it
    byId("divider").onpointermove = null;
    if (!far) focusAt(...toShare(...local(up)));
  };
});
function split(share) { state.split = Math.min(1, Math.max(0, share)); place(); }
function tell(x, y) {
  const [sx, sy] = toShare(x, y), words = [];
  if (sx >= 0 && sx < 1 && sy >= 0 && sy < 1) {
    words.push(`${Math.floor(sx * width)}, ${Math.floor(sy * height)}`);
    for (const layer of [find(state.view), find(state.compare)]) {
      if (!layer || !layer.values) continue;
      const [columns, rows] = layer.size;
      const value = layer.values[Math.floor(sy * rows) * columns + Math.floor(sx * columns)];
      words.push(`${layer.title}: ${Number.isNaN(value) ? "not known" : (layer.map.whole ? String(Math.round(value)) : value.toPrecision(3)) + " " + layer.map.unit}`);
    }
  }
  byId("value").textContent = words.join("   ");
}
function nudge(amount) {
  if (!range) return;
  if (!shown("refocus") && !shown("slices")) show(find("refocus") ? "refocus" : "slices");
  const step = frames ? Math.sign(amount) : amount * (range[1] - range[0]), from = frames ? nearestSlice() : state.slope;
  focusOn(Math.min(range[1], Math.max(range[0], from + step)));
}
const KEYS = {
  ArrowLeft: () => { state.x += 60; place(); }, ArrowRight: () => { state.x -= 60; place(); },
  ArrowUp: () => { state.y += 60; place(); }, ArrowDown: () => { state.y -= 60; place(); },
  "+": () => zoom(1.25, ...middle()), "=": () => zoom(1.25, ...middle()), "-": () => zoom(0.8, ...middle()),
  0: fit, a: () => zoom(1 / state.scale, ...middle()), "[": () => nudge(-0.05), "]": () => nudge(0.05),
  ",": () => setAperture(state.aperture - 0.25), ".": () => setAperture(state.aperture + 0.25),
  e: () => byId("epipolar").click(), l: () => byId("pan").click(), s: () => byId("save").click(), "?": () => byId("help").click(),
  c: () => { const names = ["", ...layers.map((l) => l.name).filter((n) => n !== state.view)];
             show(state.view, names[(names.indexOf(state.compare) + 1) % names.length]); },
  Enter: () => focusAt(...toShare(...middle())),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|BUTTON)$/.test(event.target.tagName)) return;
  if (event.target === byId("divider") && /^Arrow/.test(event.key)) {
    split(state.split + (/Left|Up/.test(event.key) ? -0.02 : 0.02));
  } else if (/^[1-9]$/.test(event.key)) {
    if (layers[event.key - 1]) show(layers[event.key - 1].name);
  } else if (KEYS[event.key] || KEYS[event.key.toLowerCase()]) {
    (KEYS[event.key] || KEYS[event.key.toLowerCase()])();
  } else return;
  event.preventDefault();
});
function setAperture(value) { state.aperture = Math.min(4, Math.max(0, value)); refocus(true); link(); }

// --- buttons, sliders, links ------------------------------------------------------------------------------------------
layers.forEach((layer) => {
  const button = document.createElement("button");
  button.type = "button"; button.textContent = layer.title; button.dataset.name = layer.name;
  button.setAttribute("role", "radio");
  button.addEventListener("click", () => show(layer.name));
  byId("layers").append(button);
});
[{name: "", title: "nothing"}, ...layers].forEach(({name, title}) => byId("compare").append(new Option(title, name)));
byId("compare").addEventListener("change", (event) => show(state.view, event.target.value));
byId("opacity").addEventListener("input", (event) => { state.opacity = event.target.value / 100; show(state.view); });
if (range) {
  byId("focus").min = range[0]; byId("focus").max = range[1];
  state.slope = frames ? stops[Math.floor(stops.length / 2)] : Math.min(range[1], Math.max(range[0], 0));
  byId("focus").step = frames ? 1 : "any";
  byId("focusName").textContent = frames ? "Photograph" : "Focus: near";
  byId("focusFar").textContent = frames ? "" : "far";
}
byId("focus").addEventListener("input", (event) => { state.slope = Number(event.target.value); refocus(true); link(); });
byId("aperture").addEventListener("input", (event) => setAperture(Number(event.target.value)));
byId("spread").addEventListener("input", (event) => { state.spread = Number(event.target.value); refocus(true); });
byId("pan").addEventListener("click", () => {
  state.looking = !state.looking;
  if (!state.looking) state.look = [0, 0];
  refocus(true);
});
byId("epipolar").addEventListener("click", () => {
  byId("epipolarFigure").hidden = !byId("epipolarFigure").hidden;
  byId("epipolar").setAttribute("aria-pressed", String(!byId("epipolarFigure").hidden));
  epipolar();
});
byId("fit").addEventListener("click", fit);
byId("actual").addEventListener("click", () => zoom(1 / state.scale, ...middle()));
byId("help").addEventListener("click", () => {
  byId("keys").hidden = !byId("keys").hidden;
  byId("help").setAttribute("aria-expanded", String(!byId("keys").hidden));
});
byId("save").addEventListener("click", () => {
  const part = element(find(state.view)), canvas = document.createElement("canvas");
  canvas.width = width; canvas.height = height;
  canvas.getContext("2d").drawImage(part, 0, 0, width, height);
  canvas.toBlob((blob) => {
    const anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(blob);
    anchor.download = `${state.view}.png`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 1000);
  });
});
// Inside another page (lf-picture.js), the picture alone is shown, and told from there where to focus.
const embedded = window !== parent && new URLSearchParams(location.hash.slice(1)).has("embed");
const where = () => (state.place ? {x: state.place[0], y: state.place[1]} : {});
function toParent(message) { if (embedded) parent.postMessage(message, "*"); }
if (embedded) {
  document.body.classList.add("embedded");
  addEventListener("message", ({source, data: told}) => {
    if (source !== parent || !told) return;
    if (told.lfPicture === "focus" && Number.isFinite(told.x) && Number.isFinite(told.y)) focusAt(told.x, told.y);
    if (told.lfPicture === "setFocus" && range && Number.isFinite(told.disparity)) {
      if (!shown("refocus") && !shown("slices")) show(find("refocus") ? "refocus" : "slices");
      focusOn(Math.min(range[1], Math.max(range[0], told.disparity)));
    }
    if (told.lfPicture === "setAperture" && Number.isFinite(told.factor)) setAperture(told.factor);
  });
}
function link() {
  if (embedded) return;
  const words = new URLSearchParams({view: state.view});
  if (state.compare) words.set("compare", state.compare);
  if (shown("refocus") || shown("slices")) {
    if (state.place) { words.set("x", state.place[0].toFixed(3)); words.set("y", state.place[1].toFixed(3)); }
    else words.set("slope", state.slope.toFixed(3));
    words.set("aperture", state.aperture.toFixed(2));
  }
  history.replaceState(null, "", "#" + words);
}
// Of what is shown: the picture's three colors, or the map's values between the legend's ends.
function histogram() {
  const layer = find(state.view), canvas = byId("histogram"), target = canvas.getContext("2d");
  const bars = (counts, fill, most) => {
    target.fillStyle = fill;
    counts.forEach((n, k) => target.fillRect(k, 80 - 76 * Math.min(1, n / most), 1, 80));
  };
  const highest = (counts) => [...counts].sort((a, b) => b - a)[3] || 1;  // clipped black and white stand out
  target.clearRect(0, 0, 256, 80);
  if (layer.map) {
    byId("histogramName").textContent = `Histogram: ${layer.title}`;
    if (!layer.values || !layer.limits) return;
    const counts = new Float64Array(256), [low, high] = layer.limits;
    for (const v of layer.values) if (v >= low && v <= high) counts[Math.floor(255 * (v - low) / Math.max(high - low, 1e-12))]++;
    target.globalCompositeOperation = "source-over";
    palette(layer.map).forEach((rgb, k) => bars(counts.map((n, m) => (m === k ? n : 0)), `rgb(${rgb})`, highest(counts)));
    return;
  }
  const pictures = layer.source ? layer : layers[0], picture = element(pictures);
  byId("histogramName").textContent = `Histogram: ${pictures.title}, red, green, blue`;
  const draw = () => {
    const small = document.createElement("canvas"), share = Math.min(1, 400 / width);
    small.width = Math.max(1, Math.round(width * share)); small.height = Math.max(1, Math.round(height * share));
    const context = small.getContext("2d", {willReadFrequently: true});
    context.drawImage(picture, 0, 0, small.width, small.height);
    const bytes = context.getImageData(0, 0, small.width, small.height).data;
    const counts = [0, 1, 2].map((c) => { const n = new Float64Array(256); for (let k = c; k < bytes.length; k += 4) n[bytes[k]]++; return n; });
    const most = Math.max(...counts.map(highest));
    target.globalCompositeOperation = "screen";
    ["#d33", "#3a3", "#36d"].forEach((fill, c) => bars(counts[c], fill, most));
  };
  if (picture.complete) draw(); else picture.addEventListener("load", histogram, {once: true});
}
function start() {
  const words = new URLSearchParams(location.hash.slice(1));
  const second = data.pictures[1] && !embedded ? data.pictures[1].name : "";
  const named = words.get("view") || (embedded && find("refocus") ? "refocus" : null);
  if (words.has("aperture")) state.aperture = Math.min(4, Math.max(0, Number(words.get("aperture")) || 0));
  if (words.has("slope") && range) state.slope = Math.min(range[1], Math.max(range[0], Number(words.get("slope")) || 0));
  show(find(named) ? named : layers[0].name, words.has("compare") && find(words.get("compare")) ? words.get("compare") : find(named) ? "" : second);
  fit();
  if (words.has("x") && words.has("y")) focusAt(Number(words.get("x")), Number(words.get("y")));
  new ResizeObserver(() => { if (!state.moved) fit(); }).observe(port);
  toParent({lfPicture: "ready", size: [width, height]});
}
start();
