// The WebAssembly module: loading it, its memory, and one call of the operator.
import { InvalidArgumentError, LoadError, OutOfMemoryError, SrOpsError } from './errors.js';

/** What the module's functions answer: sr_ops_status_code of sr_ops/core.h. */
const STATUS_ERRORS = [null, InvalidArgumentError, OutOfMemoryError, SrOpsError];

/** Bytes that 32-bit WebAssembly can address. */
const MOST_BYTES = 2 ** 32;

let library = null;

/** See index.d.ts. */
export async function load(source = undefined) {
  if (library !== null) return;
  let loaded;
  try {
    loaded = new Library(await instantiate(source ?? new URL('./sr_ops.wasm', import.meta.url)));
  } catch (error) {
    throw new LoadError(`sr_ops.wasm could not be loaded: ${error.message}`);
  }
  library ??= loaded;
}

/** See index.d.ts. */
export function unload() {
  library = null;
}

/** See index.d.ts. */
export function getVersion() {
  return getLibrary().version;
}

/** The loaded {@link Library}. */
export function getLibrary() {
  if (library === null) throw new LoadError('sr-ops is not loaded: `await load()` first');
  return library;
}

async function instantiate(source) {
  const module =
    source instanceof WebAssembly.Module ? source : await WebAssembly.compile(await read(source));
  let instance = null;
  instance = await WebAssembly.instantiate(module, importsOf(() => instance.exports.memory.buffer));
  return instance.exports;
}

/** The bytes of a URL, a Response, or a buffer. */
async function read(source) {
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return source;
  if (typeof Response !== 'undefined' && source instanceof Response) return bytesOf(source);
  const url = new URL(source, globalThis.location?.href);
  if (url.protocol === 'file:' && globalThis.process?.versions?.node) {
    const { readFile } = await import('node:fs/promises');
    return readFile(url);
  }
  return bytesOf(await fetch(url));
}

async function bytesOf(response) {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
  return response.arrayBuffer();
}

/** What the module asks of its surroundings: an environment, which is empty here, and an end. */
function importsOf(buffer) {
  return {
    env: { emscripten_notify_memory_growth() {} },
    wasi_snapshot_preview1: {
      environ_sizes_get(count, bytes) {
        const view = new DataView(buffer());
        view.setUint32(count, 0, true);
        view.setUint32(bytes, 0, true);
        return 0;
      },
      environ_get: () => 0,
      proc_exit(code) {
        throw new SrOpsError(`the library ended itself with status ${code}`);
      },
    },
  };
}

/** One instance of the module. Not to be used again after it has thrown anything but an SrOpsError. */
class Library {
  constructor(exports) {
    this.exports = exports;
    exports._initialize();
    this.requestAt = exports.sr_ops_web_request();
    const names = this.text(exports.sr_ops_web_fields()).split(' ');
    this.fields = new Map(names.map((name, index) => [name, index]));
  }

  get version() {
    return this.text(this.exports.sr_ops_web_version());
  }

  /** A string of the module: UTF-8 that ends in a zero byte. */
  text(address) {
    const bytes = new Uint8Array(this.exports.memory.buffer);
    return new TextDecoder().decode(bytes.slice(address, bytes.indexOf(0, address)));
  }

  /**
   * Tell the module what is wanted, by field of csrc/wasm/request.h.
   *
   * @returns all fields with what follows from them: the output's size, and the source that is read.
   */
  describe(values) {
    const request = new Float64Array(this.exports.memory.buffer, this.requestAt, this.fields.size);
    request.fill(0);
    for (const [name, value] of Object.entries(values)) {
      if (!this.fields.has(name)) {
        throw new LoadError(`sr_ops.wasm knows no field ${name}: it is not of this release`);
      }
      request[this.fields.get(name)] = value;
    }
    this.check(this.exports.sr_ops_web_measure());
    return Object.fromEntries([...this.fields].map(([name, index]) => [name, request[index]]));
  }

  /**
   * Run what {@link describe} was told.
   *
   * @param inputBytes bytes of the source.
   * @param outputBytes bytes of the result.
   * @param fill gets the memory of the source as a Uint8Array, to be filled.
   * @param take gets the buffer with the result and where it begins there, to be copied.
   * @returns what take returns.
   */
  run(inputBytes, outputBytes, fill, take) {
    const input = this.allocate(inputBytes);
    try {
      const output = this.allocate(outputBytes);
      try {
        fill(new Uint8Array(this.exports.memory.buffer, input, inputBytes));
        this.check(this.exports.sr_ops_web_upscale(input, output));
        return take(this.exports.memory.buffer, output);
      } finally {
        this.exports.sr_ops_web_release(output);
      }
    } finally {
      this.exports.sr_ops_web_release(input);
    }
  }

  allocate(bytes) {
    const address = bytes < MOST_BYTES ? this.exports.sr_ops_web_allocate(bytes) >>> 0 : 0;
    if (address !== 0) return address;
    throw new OutOfMemoryError(
      `out of memory: ${Math.ceil(bytes / 2 ** 20)} MiB for one buffer are not to be had, of the ` +
        '4 GiB of WebAssembly; use upscaleInTiles, which needs little at a time',
    );
  }

  check(status) {
    if (status === 0) return;
    const Kind = STATUS_ERRORS[status] ?? SrOpsError;
    throw new Kind(this.text(this.exports.sr_ops_web_message()));
  }
}
