// The operator on whole pictures, on windows of the result, and tile by tile.
import { checkOut, describe, parseSource, resultArray, takeArray } from './arguments.js';
import { InvalidArgumentError } from './errors.js';
import { getLibrary } from './library.js';

/** Bytes that a tile of upscaleInTiles and what it reads take together, unless told otherwise. */
const TILE_BYTES = 2 ** 24;

/** See index.d.ts. */
export function outputSize(source, options = {}) {
  const request = getLibrary().describe(describe(parseSource(source, options), options));
  return { height: request.out_height, width: request.out_width };
}

/** See index.d.ts. */
export function upscale(source, options = {}) {
  const pixels = parseSource(source, options);
  const request = getLibrary().describe(describe(pixels, options));
  const { window_height: height, window_width: width } = request;
  const length = pixels.shape[0] * pixels.shape[1] * height * width;
  const { out } = options;
  if (out !== undefined) checkOut(pixels.data, length, out);
  const take = (buffer, begin) => takeArray(pixels.data, length, out, buffer, begin);
  const result = length > 0 ? run(pixels, request, take) : resultArray(pixels.data, 0, out);
  return pixels.wrap(result, height, width);
}

/** See index.d.ts. */
export async function upscaleInTiles(source, options = {}) {
  const { tileBytes = TILE_BYTES, onProgress = () => {}, signal, ...rest } = options;
  if (!(tileBytes > 0)) {
    throw new InvalidArgumentError(`tileBytes: got ${tileBytes}, expected a number > 0`);
  }
  signal?.throwIfAborted();
  const pixels = parseSource(source, rest);
  const values = describe(pixels, rest);
  const whole = getLibrary().describe(values);
  const [batch, channels] = pixels.shape;
  const { window_height: height, window_width: width } = whole;
  const result = resultArray(pixels.data, batch * channels * height * width, rest.out);
  if (result.length === 0) return pixels.wrap(result, height, width);
  const rows = rowsOfTile(pixels, whole, tileBytes);
  for (let row = 0; row < whole.window_height; row += rows) {
    const tile = getLibrary().describe({
      ...values,
      window_top: whole.window_top + row,
      window_left: whole.window_left,
      window_height: Math.min(rows, whole.window_height - row),
      window_width: whole.window_width,
    });
    run(pixels, tile, (buffer, begin) => putTile(pixels, tile, buffer, begin, result, whole));
    onProgress(Math.min((row + rows) / whole.window_height, 1));
    await otherTasks();
    signal?.throwIfAborted();
  }
  return pixels.wrap(result, height, width);
}

function rowsOfTile(pixels, whole, tileBytes) {
  const bytesOfRow = (pixels.bytes * whole.batch * whole.channels) *
    (whole.window_width + whole.source_width * whole.source_height / whole.window_height);
  return Math.max(1, Math.floor(tileBytes / bytesOfRow));
}

/** Computes a described window from the part of the source that it reads. */
function run(pixels, request, take) {
  const [, , height, width] = pixels.shape;
  const from = { height, width, top: request.source_top, left: request.source_left };
  const read = boxOf(request.source_height, request.source_width);
  const { planes, interleaved } = formOf(pixels);
  const bytes = (box) => planes * interleaved * box.height * box.width * pixels.bytes;
  const fill = (memory) => {
    const to = new pixels.data.constructor(memory.buffer, memory.byteOffset, memory.length / pixels.bytes);
    copyBoxes(pixels.data, from, to, read, read, planes, interleaved);
  };
  const made = boxOf(request.window_height, request.window_width);
  return getLibrary().run(bytes(read), bytes(made), fill, take);
}

/** Copies a computed tile to its place in the result, which holds the window of `whole`. */
function putTile(pixels, tile, buffer, begin, result, whole) {
  const made = boxOf(tile.window_height, tile.window_width);
  const to = {
    height: whole.window_height,
    width: whole.window_width,
    top: tile.window_top - whole.window_top,
    left: tile.window_left - whole.window_left,
  };
  const { planes, interleaved } = formOf(pixels);
  const length = planes * interleaved * made.height * made.width;
  const from = new pixels.data.constructor(buffer, begin, length);
  copyBoxes(from, made, result, to, made, planes, interleaved);
}

const boxOf = (height, width) => ({ height, width, top: 0, left: 0 });

function formOf({ layout, shape: [batch, channels] }) {
  const interleaved = layout === 'NHWC' ? channels : 1;
  return { planes: (batch * channels) / interleaved, interleaved };
}

/** Copy a box of `size` of each plane: from its place in planes of one size to that in others. */
function copyBoxes(source, from, target, to, size, planes, interleaved) {
  const length = size.width * interleaved;
  const whole = size.width === from.width && size.width === to.width;
  const [count, run] = whole ? [1, size.height * length] : [size.height, length];
  for (let plane = 0; plane < planes; ++plane) {
    for (let row = 0; row < count; ++row) {
      const begin = ((plane * from.height + from.top + row) * from.width + from.left) * interleaved;
      const end = ((plane * to.height + to.top + row) * to.width + to.left) * interleaved;
      target.set(source.subarray(begin, begin + run), end);
    }
  }
}

/** Lets what else is waiting be done first: messages, the page's drawing. */
function otherTasks() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
