// What callers hand in: pixels in one of two forms, and options. One parser, one wording.
import { InvalidArgumentError, OutOfMemoryError } from './errors.js';

export const MODES = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
];

/** How integers come about, in the order of sr_ops/core.h. */
export const ROUNDINGS = ['exact', 'pillow'];

/** Element types by the array that holds them; the numbers are those of sr_ops/core.h. */
const DTYPES = [
  { code: 0, name: 'float32', arrays: [Float32Array] },
  { code: 4, name: 'uint8', arrays: [Uint8ClampedArray, Uint8Array] },
];

const LAYOUTS = { NCHW: 0, NHWC: 1 };

const OPTIONS = [
  'scale',
  'size',
  'coordinateTransformationMode',
  'cubicCoeffA',
  'antialias',
  'excludeOutside',
  'rounding',
  'window',
  'out',
  'shape',
  'layout',
];

const show = (value) =>
  typeof value === 'string' ? `"${value}"` : Array.isArray(value) ? `[${value.join(', ')}]` : `${value}`;

function refuse(name, value, expected) {
  throw new InvalidArgumentError(`${name}: got ${show(value)}, expected ${expected}`);
}

const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

/**
 * The pixels of a call.
 *
 * @returns {{data, dtype, layout, shape, wrap}} shape: N, C, H, W; wrap(data, height, width) gives a
 *     result the form that the source has.
 */
export function parseSource(source, options) {
  const isPicture =
    source !== null && typeof source === 'object' && !ArrayBuffer.isView(source) && 'data' in source;
  const data = isPicture ? source.data : source;
  const dtype = DTYPES.find(({ arrays }) => arrays.some((kind) => data instanceof kind));
  if (dtype === undefined) {
    const name = isPicture ? 'source.data' : 'source';
    throw new InvalidArgumentError(`${name}: got ${data?.constructor?.name ?? show(data)}, expected an ` +
      'ImageData, {data, width, height}, or an array: Float32Array, Uint8Array, Uint8ClampedArray');
  }
  const form = isPicture ? parsePicture(source, options) : parseArray(source, options);
  return { data, dtype: dtype.code, bytes: data.BYTES_PER_ELEMENT, ...form };
}

function parsePicture({ data, width, height, channels, colorSpace }, options) {
  for (const name of ['shape', 'layout']) {
    if (options[name] !== undefined) {
      refuse(name, options[name], 'none for a picture, which says its width and height itself');
    }
  }
  if (!isCount(width) || width < 1) refuse('source.width', width, 'an integer >= 1');
  if (!isCount(height) || height < 1) refuse('source.height', height, 'an integer >= 1');
  const count = channels ?? data.length / (width * height);
  if (!isCount(count) || count * width * height !== data.length) {
    refuse('source.data', `${data.length} elements`,
      `width x height x channels = ${width} x ${height} x ${channels ?? 'an integer'}`);
  }
  // Known by its colour space, because a frame's own ImageData is another class.
  const isImageData = colorSpace !== undefined && data instanceof Uint8ClampedArray && count === 4;
  const wrap = (result, outHeight, outWidth) =>
    isImageData
      ? new ImageData(result, outWidth, outHeight, { colorSpace })
      : { data: result, width: outWidth, height: outHeight, channels: count };
  return { layout: 'NHWC', shape: [1, count, height, width], wrap };
}

function parseArray(data, { shape, layout = 'NCHW' }) {
  if (!Object.hasOwn(LAYOUTS, layout)) refuse('layout', layout, Object.keys(LAYOUTS).join(' or '));
  if (!Array.isArray(shape) || shape.length < 2 || shape.length > 4 || !shape.every(isCount)) {
    refuse('shape', shape, 'the lengths of 2 (H, W), 3 or 4 axes, in the order of layout');
  }
  if (shape.reduce((product, extent) => product * extent, 1) !== data.length) {
    refuse('shape', shape, `lengths whose product is the array's, ${data.length}`);
  }
  const last = layout === 'NHWC' && shape.length > 2;
  const full = shape.length === 2 ? [1, 1, ...shape] : shape.length === 3 ? [1, ...shape] : shape;
  const [n, h, w, c] = last ? full : [full[0], full[2], full[3], full[1]];
  if (h < 1 || w < 1) refuse('shape', shape, 'a height and a width >= 1');
  const wrap = (result, outHeight, outWidth) => {
    const out = last ? [n, outHeight, outWidth, c] : [n, c, outHeight, outWidth];
    if (shape.length === 2) return { data: result, shape: [outHeight, outWidth] };
    return { data: result, shape: shape.length === 3 ? out.slice(1) : out };
  };
  return { layout, shape: [n, c, h, w], wrap };
}

/** The fields of csrc/wasm/request.h for a source and options. */
export function describe(source, options) {
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) refuse('options', unknown, `some of ${OPTIONS.join(', ')}`);
  const {
    coordinateTransformationMode = 'half_pixel',
    cubicCoeffA = -0.75,
    antialias = false,
    excludeOutside = false,
    rounding = 'exact',
  } = options;
  const mode = MODES.indexOf(coordinateTransformationMode);
  if (mode < 0) {
    refuse('coordinateTransformationMode', coordinateTransformationMode, `one of ${MODES.join(', ')}`);
  }
  if (typeof cubicCoeffA !== 'number' || !Number.isFinite(Math.fround(cubicCoeffA))) {
    refuse('cubicCoeffA', cubicCoeffA, 'a finite number');
  }
  if (typeof antialias !== 'boolean') refuse('antialias', antialias, 'true or false');
  if (typeof excludeOutside !== 'boolean') refuse('excludeOutside', excludeOutside, 'true or false');
  const roundingIndex = ROUNDINGS.indexOf(rounding);
  if (roundingIndex < 0) refuse('rounding', rounding, `one of ${ROUNDINGS.join(', ')}`);
  const [batch, channels, height, width] = source.shape;
  return {
    dtype: source.dtype,
    layout: LAYOUTS[source.layout],
    batch, channels, height, width,
    ...parseTarget(options),
    coordinate_transformation_mode: mode,
    cubic_coeff_a: cubicCoeffA,
    antialias: Number(antialias),
    exclude_outside: Number(excludeOutside),
    rounding: roundingIndex,
    ...parseWindow(options.window),
  };
}

function parseTarget({ scale, size }) {
  if ((scale === undefined) === (size === undefined)) {
    const got = scale === undefined ? 'neither' : 'both';
    throw new InvalidArgumentError(`scale, size: got ${got}, expected exactly one of them`);
  }
  if (size !== undefined) {
    const isPair = Array.isArray(size) && size.length === 2;
    if (!isPair || !size.every((value) => isCount(value) && value >= 1)) {
      refuse('size', size, 'a pair [height, width] of integers >= 1');
    }
    return { out_height: size[0], out_width: size[1] };
  }
  const pair = typeof scale === 'number' ? [scale, scale] : scale;
  const isFactor = (value) =>
    typeof value === 'number' && Math.fround(value) > 0 && Number.isFinite(Math.fround(value));
  if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(isFactor)) {
    refuse('scale', scale, 'a finite number > 0, or a pair [height, width] of them');
  }
  return { scale_height: pair[0], scale_width: pair[1] };
}

function parseWindow(window) {
  if (window === undefined) return {};
  const { top, left, height, width } = window ?? {};
  if (![top, left, height, width].every(isCount) || height < 1 || width < 1) {
    refuse('window', JSON.stringify(window), '{top, left, height, width} of integers, the last two >= 1');
  }
  return { window_top: top, window_left: left, window_height: height, window_width: width };
}

/** The array for a result: `out` if given, else a new one of the kind of `data`. */
export function resultArray(data, length, out) {
  if (out === undefined) return allocating(length, () => new data.constructor(length));
  checkOut(data, length, out);
  return out;
}

/** The same, with the values that lie in a buffer: a new one takes one copy, and no zeros before. */
export function takeArray(data, length, out, buffer, begin) {
  if (out === undefined) {
    const end = begin + length * data.BYTES_PER_ELEMENT;
    return allocating(length, () => new data.constructor(buffer.slice(begin, end)));
  }
  out.set(new data.constructor(buffer, begin, length));
  return out;
}

export function checkOut(data, length, out) {
  const kind = data.constructor.name;
  if (out?.constructor !== data.constructor || out.length !== length) {
    throw new InvalidArgumentError(
      `out: got ${out?.constructor?.name ?? out} of ${out?.length ?? 'no'} elements, expected ` +
        `${kind} of ${length}, as the result has`,
    );
  }
  if (out.buffer === data.buffer) {
    throw new InvalidArgumentError('out: got the memory of the source; give it memory of its own');
  }
}

function allocating(length, make) {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OutOfMemoryError(`out of memory: no array of ${length} elements is to be had for the result`);
  }
}
