// sr-ops: bicubic upscaling at any scale, in WebAssembly. Documented in index.d.ts.
export { InvalidArgumentError, LoadError, OutOfMemoryError, SrOpsError } from './errors.js';
export { getVersion, load, unload } from './library.js';
export { outputSize, upscale, upscaleInTiles } from './upscale.js';
export { UpscaleWorker } from './upscale_worker.js';
