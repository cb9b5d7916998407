// Upscaling in a thread of its own, so that a page never stands still.
import { fromData, SrOpsError } from './errors.js';

/** See index.d.ts. */
export class UpscaleWorker {
  #port;
  #wasm;
  #waiting = new Map();
  #next = 0;

  constructor({ worker, wasm } = {}) {
    this.#port = worker ?? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    this.#wasm = wasm instanceof URL ? wasm.href : wasm;
    this.#port.onmessage = ({ data }) => this.#receive(data);
    this.#port.onerror = (event) => {
      event.preventDefault?.();
      this.#fail(new SrOpsError(`the worker ended: ${event.message ?? 'it could not be started'}`));
    };
  }

  upscale(source, options = {}) {
    const { transfer = false, onProgress = () => {}, signal, ...rest } = options;
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const { pixels, wrap } = plain(source);
      const cancel = () => this.#port?.postMessage({ id, cancel: true });
      const settle = (how) => (value) => {
        signal?.removeEventListener('abort', cancel);
        this.#waiting.delete(id);
        how(value);
      };
      if (!this.#port) throw new SrOpsError('the worker is closed: make a new UpscaleWorker');
      const message = { id, wasm: this.#wasm, source: pixels, options: rest };
      const buffer = (ArrayBuffer.isView(pixels) ? pixels : pixels?.data)?.buffer;
      this.#port.postMessage(message, transfer && buffer ? [buffer] : []);
      signal?.addEventListener('abort', cancel, { once: true });
      this.#waiting.set(id, {
        resolve: settle((result) => resolve(wrap(result))),
        reject: settle((error) => reject(error.name === 'AbortError' ? signal.reason : error)),
        onProgress,
      });
    });
  }

  close() {
    this.#fail(new SrOpsError('the worker was closed'));
    (this.#port?.terminate ?? this.#port?.close)?.call(this.#port);
    this.#port = null;
  }

  #receive({ id, progress, result, error }) {
    const call = this.#waiting.get(id);
    if (!call) return;
    if (error) call.reject(fromData(error));
    else if (result) call.resolve(result);
    else call.onProgress(progress);
  }

  #fail(error) {
    for (const call of [...this.#waiting.values()]) call.reject(error);
  }
}

/** A picture as plain data, which is what a message can move; and its way back to an ImageData. */
function plain(source) {
  if (typeof ImageData === 'undefined' || !(source instanceof ImageData)) {
    return { pixels: source, wrap: (result) => result };
  }
  const { data, width, height, colorSpace } = source;
  const wrap = (result) => new ImageData(result.data, result.width, result.height, { colorSpace });
  return { pixels: { data, width, height }, wrap };
}
