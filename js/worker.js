// A worker's side of UpscaleWorker: messages in, upscaleInTiles, messages out.
import { toData } from './errors.js';
import { load } from './library.js';
import { upscaleInTiles } from './upscale.js';

/**
 * Answer the messages of one UpscaleWorker.
 *
 * @param port what has postMessage and onmessage: a worker's global scope, or a MessagePort.
 */
export function serve(port) {
  const running = new Map();

  async function upscale({ id, wasm, source, options }) {
    const abort = new AbortController();
    running.set(id, abort);
    try {
      await load(wasm);
      const onProgress = (done) => port.postMessage({ id, progress: done });
      const result = await upscaleInTiles(source, { ...options, onProgress, signal: abort.signal });
      port.postMessage({ id, result }, [result.data.buffer]);
    } catch (error) {
      port.postMessage({ id, error: toData(error) });
    } finally {
      running.delete(id);
    }
  }

  port.onmessage = ({ data }) => {
    if (data.cancel) running.get(data.id)?.abort();
    else upscale(data);
  };
}

const isWorker = typeof WorkerGlobalScope !== 'undefined' && self instanceof WorkerGlobalScope;
if (isWorker) serve(self);
