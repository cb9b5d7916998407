/**
 * Bicubic upscaling at any scale, in WebAssembly.
 *
 * The meaning is ONNX `Resize` (opset 19, `mode="cubic"`), in exact coordinates. WebAssembly has no
 * fused multiply-add, so float32 results are within 5e-7 times the largest magnitude of those of
 * sr_ops elsewhere, not of the same bits; bytes differ by one level where a value lies on the edge
 * of two.
 *
 * ```js
 * import { load, upscale } from 'sr-ops';
 * await load();
 * const larger = upscale(context.getImageData(0, 0, 256, 256), { scale: 2.7 }); // an ImageData
 * const { data, shape } = upscale(floats, { shape: [1, 3, 64, 96], scale: 2.7 }); // [1, 3, 172, 259]
 * ```
 */

/** Arrays of the elements that are known: float32, and bytes from 0 to 255. */
export type Elements = Float32Array | Uint8Array | Uint8ClampedArray;

/** Interleaved pixels: `data[(y * width + x) * channels + c]`. An ImageData is one, of 4 channels. */
export interface Picture<T extends Elements = Elements> {
  data: T;
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** By default what `data` has for each pixel. Channels are resampled one by one, alpha too. */
  channels?: number;
}

/** An array with the lengths of its axes. */
export interface Tensor<T extends Elements = Elements> {
  data: T;
  shape: number[];
}

/** A rectangle of the result, in its pixels. */
export interface Window {
  top: number;
  left: number;
  height: number;
  width: number;
}

export type CoordinateTransformationMode =
  | 'half_pixel'
  | 'half_pixel_symmetric'
  | 'pytorch_half_pixel'
  | 'align_corners'
  | 'asymmetric';

/** What is wanted: `scale` or `size`, and ONNX Resize's attributes. */
export interface Options {
  /**
   * A factor, or [vertical, horizontal]; finite, > 0, rounded to float32. An axis of n pixels
   * becomes `Math.trunc(Math.fround(Math.fround(n) * Math.fround(scale)))`.
   */
  scale?: number | [number, number];
  /** [height, width] of the result, in pixels. */
  size?: [number, number];
  /** Default: 'half_pixel'. */
  coordinateTransformationMode?: CoordinateTransformationMode;
  /** Keys' a. Default: -0.75 (ONNX, PyTorch, OpenCV); Pillow's is -0.5. */
  cubicCoeffA?: number;
  /** Stretch the kernel by 1 / scale where the scale is below 1. Default: false. */
  antialias?: boolean;
  /** Give no weight to what lies outside, instead of repeating the edge. Default: false. */
  excludeOutside?: boolean;
  /**
   * 'exact' (default): integers are rounded once, half to even. 'pillow': the bytes of Pillow's
   * `Image.resize(BICUBIC)`, for 8-bit elements; a = -0.5, antialias and excludeOutside are implied.
   */
  rounding?: 'exact' | 'pillow';
  /** Compute this part of the result alone, with the values it has in the whole. */
  window?: Window;
  /** Where the result goes, instead of into a new array: of the source's kind, and its own memory. */
  out?: Elements;
}

/** For a bare array, whose axes nothing else tells. */
export interface ArrayOptions extends Options {
  /** [H, W], [C, H, W] or [N, C, H, W]; in layout 'NHWC' [H, W, C] or [N, H, W, C]. */
  shape: number[];
  /** Default: 'NCHW'. */
  layout?: 'NCHW' | 'NHWC';
}

/** How a long call is watched and ended. */
export interface Progress {
  /** Called with the part that is done, from 0 to 1, the last time with 1. */
  onProgress?: (done: number) => void;
  /** Ends the call, which then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Bytes of WebAssembly's memory for a tile and what it reads. Default: 16 MiB. */
  tileBytes?: number;
}

/** Where sr_ops.wasm comes from. */
export type WasmSource = string | URL | Response | BufferSource | WebAssembly.Module;

/**
 * Load sr_ops.wasm, by default from beside the package's files. Before anything else; more calls do
 * nothing.
 *
 * @throws {LoadError} it is not there, or cannot be used.
 */
export function load(source?: WasmSource): Promise<void>;

/** Drop the module and its memory, which otherwise never shrinks. `load` brings it back. */
export function unload(): void;

/** The version of sr_ops.wasm. */
export function getVersion(): string;

/**
 * The size of the result, in pixels.
 *
 * @throws {InvalidArgumentError} as {@link upscale}.
 */
export function outputSize(source: ImageData | Picture, options: Options): { height: number; width: number };
export function outputSize(source: Elements, options: ArrayOptions): { height: number; width: number };

/**
 * Resample a picture or an array; the result has its form and element type. Bytes are rounded half
 * to even. Blocks until it is done: see {@link UpscaleWorker} for pages.
 *
 * @throws {InvalidArgumentError} an argument is outside what is accepted; the message names it.
 * @throws {OutOfMemoryError} source and result do not fit.
 * @throws {LoadError} {@link load} was not awaited.
 */
export function upscale(source: ImageData, options: Options): ImageData;
export function upscale<T extends Elements>(source: Picture<T>, options: Options): Required<Picture<T>>;
export function upscale<T extends Elements>(source: T, options: ArrayOptions): Tensor<T>;

/**
 * The same result in bands of rows, of which WebAssembly holds one at a time; other tasks run in
 * between.
 *
 * @throws as {@link upscale}; the reason of `signal` once that is aborted.
 */
export function upscaleInTiles(source: ImageData, options: Options & Progress): Promise<ImageData>;
export function upscaleInTiles<T extends Elements>(
  source: Picture<T>,
  options: Options & Progress,
): Promise<Required<Picture<T>>>;
export function upscaleInTiles<T extends Elements>(
  source: T,
  options: ArrayOptions & Progress,
): Promise<Tensor<T>>;

/** What messages to the worker need besides. */
export interface Transfer {
  /** Hand the source's buffer over instead of copying it: it is empty afterwards. Default: false. */
  transfer?: boolean;
}

/** {@link upscaleInTiles} in a thread of its own, so that a page never stands still. */
export class UpscaleWorker {
  /**
   * @param options.worker a worker that runs `worker.js`; by default a new one.
   * @param options.wasm where the worker finds sr_ops.wasm; by default beside `worker.js`.
   */
  constructor(options?: { worker?: Worker | MessagePort; wasm?: string | URL | WebAssembly.Module });

  /**
   * As {@link upscaleInTiles}. Calls run side by side; results' buffers are moved, not copied.
   *
   * @throws {SrOpsError} the worker could not start, or was closed.
   */
  upscale(source: ImageData, options: Options & Progress & Transfer): Promise<ImageData>;
  upscale<T extends Elements>(
    source: Picture<T>,
    options: Options & Progress & Transfer,
  ): Promise<Required<Picture<T>>>;
  upscale<T extends Elements>(source: T, options: ArrayOptions & Progress & Transfer): Promise<Tensor<T>>;

  /** End the worker; what is under way rejects. */
  close(): void;
}

/** Base of every error that sr-ops throws on purpose. */
export class SrOpsError extends Error {}
/** An argument is outside what is accepted; the message names it, and what is. */
export class InvalidArgumentError extends SrOpsError {}
/** The memory of WebAssembly, or of the page, is not enough. */
export class OutOfMemoryError extends SrOpsError {}
/** The library is not loaded, or could not be. */
export class LoadError extends SrOpsError {}
