// The page: a picture in, the sliders, the result out.
import { NETWORKS, Upscaler } from './upscaler.js';

const element = (id) => document.getElementById(id);
const [file, scale, model, compare, drop] = ['file', 'scale', 'model', 'compare', 'drop'].map(element);
const upscaler = new Upscaler();

let image = null; // the ImageData of the picture
let running = null; // what cancels the present run

for (const name of Object.keys(NETWORKS)) model.add(new Option(name.toUpperCase(), name));

function say(text, isError = false) {
  element('status').textContent = text;
  element('status').classList.toggle('error', isError);
}

function showSplit() {
  element('viewer').style.setProperty('--split', `${compare.value}%`);
}

async function open(blob) {
  try {
    const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'default' });
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    image = context.getImageData(0, 0, bitmap.width, bitmap.height);
  } catch {
    say('This file is no picture that the browser can read; try a PNG or a JPEG.', true);
    return;
  }
  await run();
}

async function run() {
  element('scale-shown').textContent = `×${Number(scale.value).toFixed(1)}`;
  if (image === null) return;
  running?.abort();
  const mine = new AbortController();
  running = mine;
  const progress = element('progress');
  progress.hidden = false;
  progress.removeAttribute('value');
  say(`Working on ${image.width} × ${image.height} pixels…`);
  const begin = performance.now();
  try {
    const result = await upscaler.upscale(image, {
      model: model.value,
      scale: Number(scale.value),
      signal: mine.signal,
      onProgress: (done) => { progress.value = done; },
    });
    if (running === mine) await show(result, performance.now() - begin);
  } catch (error) {
    if (running === mine) say(error.message, true);
  }
  if (running === mine) {
    progress.hidden = true;
    running = null;
  }
}

async function show(result, milliseconds) {
  const [after, before] = [element('after'), element('before')];
  for (const canvas of [after, before]) {
    canvas.width = result.width;
    canvas.height = result.height;
  }
  after.getContext('2d').putImageData(result, 0, 0);
  const context = before.getContext('2d');
  context.imageSmoothingEnabled = false;
  context.drawImage(await createImageBitmap(image), 0, 0, result.width, result.height);
  element('viewer').hidden = false;
  element('hint').hidden = true;
  element('tag').textContent = model.selectedOptions[0].textContent;
  await offerDownload(after);
  say(`${image.width} × ${image.height} to ${result.width} × ${result.height} pixels in ` +
    `${milliseconds < 100 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`);
}

async function offerDownload(canvas) {
  const link = element('download');
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(blob);
  link.setAttribute('aria-disabled', 'false');
}

file.onchange = () => file.files.length > 0 && open(file.files[0]);
scale.oninput = run;
model.onchange = run;
compare.oninput = showSplit;
drop.ondragover = (event) => {
  event.preventDefault();
  drop.classList.add('over');
};
drop.ondragleave = () => drop.classList.remove('over');
drop.ondrop = (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  if (event.dataTransfer.files.length > 0) open(event.dataTransfer.files[0]);
};

showSplit();
open(await (await fetch('sample.png')).blob());
